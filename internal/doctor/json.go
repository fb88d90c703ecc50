package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/version"
)

// jsonFinding is a finding in JSON. The names, the parts, the statuses and the codes are stable; what and fix are texts.
type jsonFinding struct {
	Part    string         `json:"part"`
	Subject string         `json:"subject"`
	Status  finding.Status `json:"status"`
	Code    string         `json:"code"`
	What    string         `json:"what,omitempty"`
	Fix     string         `json:"fix,omitempty"`
	Lines   []string       `json:"lines,omitempty"`
	// Entries are the entries of the bank's profile that were looked at.
	Entries []finding.Entry `json:"entries,omitempty"`
}

// jsonReport is a report in JSON.
type jsonReport struct {
	Program  string        `json:"program"`
	Version  string        `json:"version"`
	Status   string        `json:"status"` // ok, warn or fail
	Exit     int           `json:"exit"`
	Seconds  float64       `json:"seconds"`
	Findings []jsonFinding `json:"findings"`
}

// writeJSON writes the report for programs.
func (r Report) writeJSON(w io.Writer, program string) error {
	out := jsonReport{
		Program: program, Version: version.String(), Status: string(r.severest()), Exit: r.Exit(),
		Seconds: r.Took.Round(time.Millisecond).Seconds(), Findings: []jsonFinding{},
	}
	for _, f := range r.Findings {
		shown := jsonFinding{Part: f.Part, Subject: f.Subject, Status: f.Status, Code: f.Code, What: f.What, Lines: f.Lines, Entries: f.Entries}
		if f.Status != finding.OK {
			shown.Fix = f.Fix
		}
		out.Findings = append(out.Findings, shown)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

// recording is what -record keeps: codes and shapes, without texts, which may hold addresses and ids.
type recording struct {
	Program  string          `json:"program"`
	Version  string          `json:"version"`
	Go       string          `json:"go"`
	System   string          `json:"system"`
	At       time.Time       `json:"at"`
	Findings []jsonFinding   `json:"findings"`
	Shapes   []finding.Shape `json:"shapes"`
}

func (r Report) recording(program string, at time.Time) recording {
	kept := recording{
		Program: program, Version: version.String(), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		At: at.UTC().Truncate(time.Second), Findings: []jsonFinding{}, Shapes: []finding.Shape{},
	}
	for _, f := range r.Findings {
		kept.Findings = append(kept.Findings, jsonFinding{Part: f.Part, Subject: f.Subject, Status: f.Status, Code: f.Code, Lines: f.Lines, Entries: f.Entries})
		kept.Shapes = append(kept.Shapes, f.Shapes...)
	}
	return kept
}

// record is the file of -record. Nobody but its owner reads it.
type record struct {
	file *os.File
	path string
}

// createRecord creates the file beside its path, so that a path that cannot be written is known before the checks.
func createRecord(path string) (*record, error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".record-*") // with mode 0600
	if err != nil {
		return nil, fmt.Errorf("creating the record: %w", err)
	}
	return &record{file, path}, nil
}

// discard removes the file, unless it was written.
func (r *record) discard() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name())
}

func (r *record) write(kept recording) error {
	encoder := json.NewEncoder(r.file)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(kept)
	if err == nil {
		err = r.file.Close()
	}
	if err == nil {
		err = os.Rename(r.file.Name(), r.path)
	}
	if err != nil {
		return fmt.Errorf("writing the record: %w", err)
	}
	return nil
}
