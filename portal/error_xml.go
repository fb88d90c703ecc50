package portal

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// maxElements is the number of elements that are read of a refusal in XML.
const maxElements = 1000

// xmlStart matches the beginning of a document in XML, and of one in HTML, which is a proxy's page.
var (
	xmlStart  = regexp.MustCompile(`^(?:<\?xml|<[A-Za-z][\w.:-]*[\s/>])`)
	htmlStart = regexp.MustCompile(`(?i)^(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body|title|h1|p|div|center)[\s>]`)
)

// parseXML reads a document as the value that it would be in JSON: an element with elements or attributes is an object, a
// repeated element an array, any other element its text. The name of the root is left out.
func parseXML(body []byte) (value any, ok bool) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) > maxRefusal || !xmlStart.Match(body) || htmlStart.Match(body) {
		return nil, false
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii":
			return charmap.Windows1252.NewDecoder().Reader(input), nil
		}
		return nil, io.ErrUnexpectedEOF
	}
	left := maxElements
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		if root, is := token.(xml.StartElement); is {
			return readElement(decoder, root, 0, &left)
		}
	}
}

// readElement reads an element up to its end.
func readElement(decoder *xml.Decoder, start xml.StartElement, depth int, left *int) (any, bool) {
	if *left--; depth > 2*maxDepth || *left < 0 {
		return nil, false
	}
	fields, text := map[string]any{}, strings.Builder{}
	for _, attribute := range start.Attr {
		if attribute.Name.Space != "xmlns" && attribute.Name.Local != "xmlns" {
			fields[attribute.Name.Local] = attribute.Value
		}
	}
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.StartElement:
			inner, ok := readElement(decoder, token, depth+1, left)
			if !ok {
				return nil, false
			}
			addElement(fields, token.Name.Local, inner)
		case xml.EndElement:
			content := strings.TrimSpace(text.String())
			if len(fields) == 0 {
				return content, true
			}
			if content != "" && fields["message"] == nil { // <error code="1">no</error>
				fields["message"] = content
			}
			return fields, true
		}
	}
}

// addElement adds an element to those beside it: two of a name are an array.
func addElement(fields map[string]any, name string, value any) {
	switch before := fields[name].(type) {
	case nil:
		fields[name] = value
	case []any:
		fields[name] = append(before, value)
	default:
		fields[name] = []any{before, value}
	}
}
