package document

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"gatehouse/hooks/problem"
)

// usual is what an item accepts that names no types of its own.
var usual = []string{"pdf", "jpg", "jpeg", "png", "heic", "xlsx", "docx", "csv", "txt", "zip"}

// contents are the sniffed types that a file name ending may have. Endings that
// are not listed are not compared: their formats cannot be told by content.
var contents = map[string][]string{
	"pdf":  {"application/pdf"},
	"jpg":  {"image/jpeg"},
	"jpeg": {"image/jpeg"},
	"png":  {"image/png"},
	"heic": {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"},
	"xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/zip"},
	"docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"},
	"csv":  {"text/"},
	"txt":  {"text/"},
	"ofx":  {"text/", "application/xml"},
	"qif":  {"text/"},
	"zip":  {"application/zip"},
	"svg":  {"image/svg+xml", "text/"},
	"mp4":  {"video/"},
	"otf":  {"font/"},
	"ttf":  {"font/"},
}

// words names formats for a sentence.
func words(accept []string) string {
	var names []string
	for _, a := range accept {
		if a != "jpeg" {
			names = append(names, strings.ToUpper(a))
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// check refuses a file that does not fit its slot, in words that say what was
// sent and what is needed. It returns the sniffed type.
func check(slot Slot, name string, size int64, content io.ReadSeeker) (string, error) {
	refuse := func(code problem.Code, message string) error { return problem.Field("file", code, message) }
	accept := slot.Accept
	if len(accept) == 0 {
		accept = usual
	}
	ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
	switch {
	case size == 0:
		return "", refuse(problem.FileEmpty, fmt.Sprintf("The file %s is empty. Open it on your computer, save it again, and send that.", name))
	case !slices.Contains(accept, ending):
		return "", refuse(problem.FileType, fmt.Sprintf("The file %s cannot be used here. Send %s.", name, words(accept)))
	case slot.MaxBytes > 0 && size > slot.MaxBytes:
		return "", refuse(problem.FileSize, fmt.Sprintf("The file %s is %s. The limit here is %s. Split it, or ask us for another way.", name, megabytes(size), megabytes(slot.MaxBytes)))
	case slot.Most > 0 && slot.Count >= slot.Most:
		return "", refuse(problem.FileCount, fmt.Sprintf("%s takes at most %d files. Remove one first.", slot.Title, slot.Most))
	}
	kind, err := mimetype.DetectReader(content)
	if err != nil {
		return "", fmt.Errorf("look into %s: %w", ending, err)
	}
	if !fits(ending, kind) {
		return "", refuse(problem.FileContent, fmt.Sprintf("This file says it is a %s but is not. Open it on your computer, save it as %s again, and send that.", strings.ToUpper(ending), strings.ToUpper(ending)))
	}
	if ending == "pdf" {
		if locked, err := lockedPDF(content, size); err != nil {
			return "", err
		} else if locked {
			return "", refuse(problem.FileContent, "This PDF needs a password. Save a copy without the password and send that.")
		}
	}
	mime, _, _ := strings.Cut(kind.String(), ";")
	return mime, nil
}

func fits(ending string, kind *mimetype.MIME) bool {
	allowed, compared := contents[ending]
	if !compared {
		return true
	}
	for k := kind; k != nil; k = k.Parent() {
		if slices.ContainsFunc(allowed, func(a string) bool { return strings.HasPrefix(k.String(), a) }) {
			return true
		}
	}
	return false
}

// lockedPDF looks for an encryption dictionary in the trailer, which stands at
// the end of a PDF (ISO 32000-1, 7.5.5).
func lockedPDF(content io.ReadSeeker, size int64) (bool, error) {
	const tail = 4096
	if _, err := content.Seek(max(0, size-tail), io.SeekStart); err != nil {
		return false, fmt.Errorf("read end of PDF: %w", err)
	}
	end, err := io.ReadAll(io.LimitReader(content, tail))
	if err != nil {
		return false, fmt.Errorf("read end of PDF: %w", err)
	}
	return bytes.Contains(end, []byte("/Encrypt")), nil
}

func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d kB", (n+1023)>>10)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MB"
}
