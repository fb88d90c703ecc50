package bank

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/finding"
	"github.com/balcao/balcao/internal/shape"
	"github.com/balcao/balcao/portal"
)

// shapeOf describes a reply without its values.
func shapeOf(p portal.Probe) finding.Shape {
	return finding.Shape{Of: p.Method + " " + p.Path, Text: describe(p)}
}

// describe describes a reply by status, type and shape.
func describe(p portal.Probe) string {
	if p.Status == 0 {
		return "no reply"
	}
	media, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	switch {
	case err != nil:
		media = ""
	case len(media) > 60:
		media = "another type"
	}
	text := fmt.Sprintf("%d %s", p.Status, shape.Of(p.Body))
	if media != "application/json" && media != "" && len(p.Body) > 0 {
		text = fmt.Sprintf("%d %s %s", p.Status, media, shape.Of(p.Body))
	}
	return text
}

// readable returns a shape for people: cut, and with spaces at which a line may end.
func readable(shape string) string {
	const most = 160
	if runes := []rune(shape); len(runes) > most {
		shape = string(runes[:most]) + "…"
	}
	return strings.ReplaceAll(strings.ReplaceAll(shape, ",", ", "), ", …", "…")
}

// tree decodes a body, nil if it is not JSON.
func tree(body []byte) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

func values(query map[string]string) url.Values {
	all := url.Values{}
	for name, value := range query {
		all.Set(name, value)
	}
	return all
}

// answered reports whether a reply is a success by its status.
func answered(p portal.Probe) bool { return p.Status >= 200 && p.Status < 300 }

// wrongPath reports whether there is no operation at a path.
func wrongPath(p portal.Probe) bool {
	return portal.KindOf(p.Err) == portal.WrongPath || p.Status == 404 || p.Status == 405
}

func isUUID(value any) bool {
	text, is := value.(string)
	if !is || len(text) != 36 {
		return false
	}
	_, err := uuid.Parse(text)
	return err == nil
}

// isWhole reports whether a value is a whole number, or a text of one.
func isWhole(value any) bool {
	switch value := value.(type) {
	case json.Number:
		_, err := value.Int64()
		return err == nil
	case string:
		_, err := json.Number(value).Int64()
		return err == nil && len(value) <= 18
	}
	return false
}

func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	}
	return ""
}
