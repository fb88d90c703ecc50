package profile

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// maxInteger is the largest integer that an id may be.
const maxInteger = 1<<56 - 1

// ParseID reads an id in a form. An integer is kept as a uuid of version 8 that holds it, so that every id has one type.
func ParseID(form Form, text string) (uuid.UUID, error) {
	if form != Integer {
		id, err := uuid.Parse(text)
		if err != nil || id.String() != strings.ToLower(text) {
			return uuid.Nil, fmt.Errorf("an id that is not a uuid")
		}
		return id, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > maxInteger || n == 0 {
		return uuid.Nil, fmt.Errorf("an id that is not an integer")
	}
	id := uuid.UUID{6: 0x80}
	binary.BigEndian.PutUint64(id[8:], n|0x80<<56)
	return id, nil
}

// FormatID writes an id in a form. A uuid that holds no integer stays one.
func FormatID(form Form, id uuid.UUID) string {
	if n, ok := integer(id); ok && form == Integer {
		return strconv.FormatUint(n, 10)
	}
	return id.String()
}

// integer returns the integer that an id holds.
func integer(id uuid.UUID) (n uint64, ok bool) {
	n = binary.BigEndian.Uint64(id[8:])
	return n & maxInteger, n>>56 == 0x80 && binary.BigEndian.Uint64(id[:8]) == 0x8000
}

// idKind returns what the field or parameter with a canonical name identifies: process for processUniqueID.
func idKind(name string) (kind string, ok bool) {
	_, name = split(name)
	if len(name) <= len("UniqueID") || !strings.EqualFold(name[len(name)-len("UniqueID"):], "UniqueID") {
		return "", false
	}
	return name[:len(name)-len("UniqueID")], true
}
