// Package content reads and writes JSON in which a document is a string of base64, as the bank writes documents: the document
// goes to a [spool.File] piece by piece, and the rest of the JSON has a mark in its place.
package content

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/balcao/balcao/internal/spool"
)

// Mark stands for a document in JSON.
type Mark string

// NewMark returns a mark that is nowhere else.
func NewMark() Mark { return Mark("content-" + uuid.NewString()) }

// Files are the documents of a JSON value by their marks.
type Files map[Mark]*spool.File

// Close closes all but the one that is kept, which may be nil.
func (f Files) Close(kept *spool.File) {
	for _, file := range f {
		if file != kept {
			_ = file.Close()
		}
	}
}

// maxString is the most bytes of a string that is no content in a reply that has one. What is over is dropped: the bank is
// not known to send such strings, unless the profile has another name for the content.
const maxString = 16 << 10

// What [Read] refuses, beside [spool.ErrTooLarge].
var (
	ErrRest   = errors.New("the JSON beside the documents is too large")
	ErrBase64 = errors.New("the document is not base64")
	ErrJSON   = errors.New("a string is not JSON")
)

// scanner copies JSON and takes out the contents.
type scanner struct {
	in      *bufio.Reader
	rest    bytes.Buffer // the JSON without contents
	maxRest int64
	maxSize int64 // of a content
	names   []string
	files   Files
}

// Read reads a JSON value. The strings under one of the names, which are in lower case and without underscores, are documents
// of at most maxSize bytes. The rest is JSON if the value is; of another string it has at most 16 KiB.
func Read(in io.Reader, names []string, maxRest, maxSize int64) (rest []byte, found Files, err error) {
	s := scanner{in: bufio.NewReaderSize(in, 32<<10), maxRest: maxRest, maxSize: maxSize, names: names, files: Files{}}
	if err := s.scan(); err != nil {
		s.files.Close(nil)
		return s.rest.Bytes(), nil, err
	}
	return s.rest.Bytes(), s.files, nil
}

func (s *scanner) scan() error {
	last, isValue := "", false // the last string, and whether the next one is its value
	for {
		if int64(s.rest.Len()) > s.maxRest {
			return ErrRest
		}
		c, err := s.in.ReadByte()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case c == '"' && isValue && s.isContent(last):
			err = s.content()
			isValue = false
		case c == '"':
			last, err = s.copyString()
			isValue = false
		case c == ':':
			isValue = true
			s.rest.WriteByte(c)
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			s.rest.WriteByte(c)
		default:
			isValue = false
			s.rest.WriteByte(c)
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) isContent(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "_", ""))
	for _, known := range s.names {
		if name == known {
			return true
		}
	}
	return false
}

// copyString copies a string after its quotation mark, and returns what it says as far as it was copied.
func (s *scanner) copyString() (string, error) {
	text := &stringReader{in: s.in}
	var kept strings.Builder
	for {
		c, err := text.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if kept.Len() < maxString {
			kept.WriteRune(c)
		}
	}
	s.rest.WriteByte('"')
	for _, c := range kept.String() {
		writeQuoted(&s.rest, c)
	}
	s.rest.WriteByte('"')
	return kept.String(), nil
}

// writeQuoted writes a character of a JSON string.
func writeQuoted(out *bytes.Buffer, c rune) {
	switch {
	case c == '"' || c == '\\':
		out.WriteByte('\\')
		out.WriteRune(c)
	case c < ' ':
		fmt.Fprintf(out, `\u%04x`, c)
	default:
		out.WriteRune(c)
	}
}

// content decodes a string after its quotation mark.
func (s *scanner) content() error {
	text := &base64Text{text: stringReader{in: s.in}}
	file, err := spool.Read(base64.NewDecoder(base64.StdEncoding, text), s.maxSize)
	switch _, corrupt := errors.AsType[base64.CorruptInputError](err); {
	case corrupt || err == io.ErrUnexpectedEOF && text.ended:
		return ErrBase64
	case err != nil:
		return err
	}
	mark := NewMark()
	s.files[mark] = file
	fmt.Fprintf(&s.rest, "%q", mark)
	return nil
}

// stringReader reads the characters of a JSON string up to its end, which is io.EOF.
type stringReader struct{ in *bufio.Reader }

func (r *stringReader) next() (rune, error) {
	c, _, err := r.in.ReadRune()
	switch {
	case err != nil:
		return 0, cut(err)
	case c == '"':
		return 0, io.EOF
	case c != '\\':
		return c, nil
	}
	escape, err := r.in.ReadByte()
	if err != nil {
		return 0, cut(err)
	}
	switch escape {
	case '"', '\\', '/':
		return rune(escape), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return r.unicode()
	}
	return 0, ErrJSON
}

// unicode reads what follows \u; of a character in two parts, both.
func (r *stringReader) unicode() (rune, error) {
	first, err := r.hex()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if next, err := r.in.Peek(2); err != nil || string(next) != `\u` {
		return utf8.RuneError, nil
	}
	_, _ = r.in.Discard(2) // they are in the buffer
	second, err := r.hex()
	return utf16.DecodeRune(first, second), err
}

func (r *stringReader) hex() (rune, error) {
	var digits [4]byte
	if _, err := io.ReadFull(r.in, digits[:]); err != nil {
		return 0, cut(err)
	}
	value, err := strconv.ParseUint(string(digits[:]), 16, 16)
	if err != nil {
		return 0, ErrJSON
	}
	return rune(value), nil
}

// cut returns the error of a reply that ends in the middle.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// base64Text reads the base64 of a JSON string: its characters in either alphabet, without white space and what a data URL has
// before them, and with padding at the end.
type base64Text struct {
	text   stringReader
	read   int64 // characters, with the padding
	ended  bool  // the string has ended
	prefix []byte
	begun  bool
}

// Read implements [io.Reader].
func (b *base64Text) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if !b.begun {
			if err := b.skipPrefix(); err != nil {
				return n, err
			}
		}
		if len(b.prefix) > 0 {
			copied := copy(p[n:], b.prefix)
			b.prefix, n, b.read = b.prefix[copied:], n+copied, b.read+int64(copied)
			continue
		}
		if b.ended {
			if b.read%4 == 0 {
				return n, io.EOF
			}
			p[n] = '='
			n, b.read = n+1, b.read+1
			continue
		}
		c, err := b.next()
		if err != nil {
			return n, err
		}
		if c != 0 {
			p[n] = c
			n, b.read = n+1, b.read+1
		}
	}
	return n, nil
}

// next returns the next character of base64, 0 for none.
func (b *base64Text) next() (byte, error) {
	if fast, err := b.text.in.Peek(1); err == nil && fast[0] != '"' && fast[0] != '\\' && fast[0] < utf8.RuneSelf { // nearly all
		_, _ = b.text.in.Discard(1)
		return standard(rune(fast[0])), nil
	}
	c, err := b.text.next()
	if err == io.EOF {
		b.ended = true
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return standard(c), nil
}

// standard returns a character of the standard alphabet, 0 for white space and an invalid one for all else.
func standard(c rune) byte {
	switch {
	case c == '-':
		return '+'
	case c == '_':
		return '/'
	case c == ' ' || c == '\n' || c == '\r' || c == '\t':
		return 0
	case c >= utf8.RuneSelf:
		return '!'
	}
	return byte(c)
}

const dataURL = "data:"

// skipPrefix skips the «data:application/pdf;base64,» of a data URL.
func (b *base64Text) skipPrefix() error {
	b.begun = true
	for len(b.prefix) < len(dataURL) && !b.ended {
		c, err := b.next()
		if err != nil {
			return err
		}
		if c != 0 {
			b.prefix = append(b.prefix, c)
		}
	}
	if string(b.prefix) != dataURL {
		return nil
	}
	b.prefix = nil
	for range 100 {
		c, err := b.next()
		if err != nil || c == ',' || b.ended {
			return err
		}
	}
	return nil
}
