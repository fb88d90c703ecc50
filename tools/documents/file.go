package documents

import (
	"context"
	"path"
	"strings"

	"github.com/balcao/balcao/internal/pii"
	"github.com/balcao/balcao/portal"
	"github.com/balcao/balcao/tools"
	"github.com/balcao/balcao/validation"
)

// extensions are those of the media types that are accepted.
var extensions = map[string]string{
	"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/heic": ".heic", "image/heif": ".heif",
}

// sentName returns the name under which the bank gets a file: what its own name begins with, or else its type, its mark, and
// the extension of its content.
func sentName(call *tools.Call, file tools.GivenFile, what string) pii.Title {
	stem := strings.TrimSuffix(file.Name.Reveal(), path.Ext(file.Name.Reveal()))
	if strings.TrimSpace(stem) == "" {
		stem = what
	}
	stem = strings.Map(func(c rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, c) || c < ' ' {
			return '-'
		}
		return c
	}, stem)
	end := "-" + call.Mark(file.FileRef) + extensions[file.MediaType]
	most := call.Bank.DocumentLengths()["fileName"]
	if most == 0 {
		most = 100
	}
	runes := []rune(stem)
	return pii.New[pii.Title](string(runes[:max(0, min(len(runes), most-len(end)))]) + end)
}

// arrived returns the document of a list that a file has become. The bank's list shows no content: the name has the file's
// mark. If the list has a document of the type without a name, the answer is not known.
func arrived(call *tools.Call, all []portal.DocumentSummary, file tools.FileRef) (found portal.DocumentSummary, ok, known bool) {
	mark, known := call.Mark(file), true
	for _, d := range all {
		if strings.Contains(strings.ToLower(d.FileName.Reveal()), mark) {
			return d, true, true
		}
		if d.FileName.IsZero() && statusOf(call, d) != validation.FileRequested {
			known = false
		}
	}
	return found, false, known
}

// maxSize returns the most bytes of a document that the bank takes.
func maxSize(call *tools.Call) int64 {
	if size := call.Bank.DocumentLimits().Size; size > 0 {
		return size
	}
	return tools.Upload.Accepts.MaxSize
}

// checkFiles reads the files of a field and returns the problems of those that are not accepted.
func checkFiles(ctx context.Context, call *tools.Call, field string, files tools.FileRefs) (problems []tools.Problem, err error) {
	for _, ref := range files {
		_, err := call.File(ctx, field, ref, maxSize(call))
		if failure := tools.AsError(err); err != nil && failure.Kind != tools.Invalid {
			return nil, err
		} else if err != nil {
			problems = append(problems, failure.Problems...)
		}
	}
	return problems, nil
}
