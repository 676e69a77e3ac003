package document

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"gatehouse/hooks/problem"
)

// zipped is a ZIP with the named files.
func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("<?xml version=\"1.0\"?><x/>")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const smallPDF = "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

var (
	png  = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
	heic = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
)

func TestCheck(t *testing.T) {
	locked := strings.Replace(smallPDF, "trailer<<", "trailer<</Encrypt 2 0 R", 1)
	for _, c := range []struct {
		name    string
		slot    Slot
		file    string
		content string
		mime    string
		code    problem.Code
		says    string
	}{
		{"a PDF", Slot{}, "a.pdf", smallPDF, "application/pdf", "", ""},
		{"an ending in capitals", Slot{}, "A.PDF", smallPDF, "application/pdf", "", ""},
		{"a PNG", Slot{}, "a.png", png, "image/png", "", ""},
		{"a JPEG under either ending", Slot{}, "a.jpeg", jpeg, "image/jpeg", "", ""},
		{"a photo of a telephone", Slot{}, "a.heic", heic, "image/heic", "", ""},
		{"a table of texts", Slot{}, "a.csv", "name,amount\nA,1\n", "text/csv", "", ""},
		{"a text", Slot{}, "a.txt", "Hello", "text/plain", "", ""},
		{"a ZIP", Slot{}, "a.zip", string(zipped(t, "a.txt")), "application/zip", "", ""},
		{"a spreadsheet", Slot{}, "a.xlsx", string(zipped(t, "[Content_Types].xml", "xl/workbook.xml")), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "", ""},
		{"a letter", Slot{}, "a.docx", string(zipped(t, "[Content_Types].xml", "word/document.xml")), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "", ""},

		{"an empty file", Slot{}, "a.pdf", "", "", problem.FileEmpty, "a.pdf is empty"},
		{"no ending", Slot{}, "statement", smallPDF, "", problem.FileType, "cannot be used here"},
		{"an ending that is not usual", Slot{}, "a.exe", "MZ", "", problem.FileType, "Send PDF, JPG, PNG, HEIC"},
		{"an ending that this item does not take", Slot{Accept: []string{"pdf"}}, "a.png", png, "", problem.FileType, "Send PDF."},
		{"an ending that only this item takes", Slot{Accept: []string{"ofx"}}, "a.ofx", "OFXHEADER:100\n", "text/plain", "", ""},
		{"a page that calls itself a PDF", Slot{}, "a.pdf", "<!doctype html><html>", "", problem.FileContent, "says it is a PDF but is not"},
		{"a PDF that calls itself a picture", Slot{}, "a.jpg", smallPDF, "", problem.FileContent, "says it is a JPG"},
		{"a program that calls itself a spreadsheet", Slot{}, "a.xlsx", "MZ\x90\x00", "", problem.FileContent, "XLSX"},
		{"a picture that calls itself a text", Slot{}, "a.csv", png, "", problem.FileContent, "CSV"},
		{"a PDF with a password", Slot{}, "a.pdf", locked, "", problem.FileContent, "needs a password"},

		{"a file of just the limit", Slot{MaxBytes: int64(len(smallPDF))}, "a.pdf", smallPDF, "application/pdf", "", ""},
		{"a file above the limit says both sizes", Slot{MaxBytes: 10}, "a.pdf", smallPDF, "", problem.FileSize, "is 1 kB. The limit here is 1 kB"},
		{"one file too many", Slot{Title: "Photo ID", Most: 2, Count: 2}, "a.pdf", smallPDF, "", problem.FileCount, "Photo ID takes at most 2 files"},
		{"the last file", Slot{Most: 2, Count: 1}, "a.pdf", smallPDF, "application/pdf", "", ""},
		{"no limit of its own", Slot{Most: 0, Count: 400}, "a.pdf", smallPDF, "application/pdf", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			mime, err := check(c.slot, c.file, int64(len(c.content)), strings.NewReader(c.content))
			var refusal *problem.Error
			if errors.As(err, &refusal) {
				if refusal.Code != c.code || !strings.Contains(refusal.Message, c.says) || refusal.Fields["file"].Code != c.code {
					t.Errorf("refused as %s: %s", refusal.Code, refusal.Message)
				}
				return
			}
			if err != nil || c.code != "" || mime != c.mime {
				t.Errorf("taken as %q, %v", mime, err)
			}
		})
	}
}

func TestLockedPDF_looksAtTheEnd(t *testing.T) {
	far := "%PDF-1.4\n(/Encrypt is a word here)\n" + strings.Repeat(" ", 5000) + "trailer<<>>\n%%EOF"
	if locked, err := lockedPDF(strings.NewReader(far), int64(len(far))); err != nil || locked {
		t.Errorf("a word in the text locks it: %t %v", locked, err)
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"statement.pdf": "statement.pdf", "Kontoauszug März.pdf": "Kontoauszug März.pdf", "../../etc/passwd": "passwd", `C:\Users\anna\a.pdf`: "a.pdf",
		"a\x00b\n.pdf": "a_b_.pdf", "invoice\u202efdp.exe": "invoice_fdp.exe", `<b>"x".pdf`: "_b__x_.pdf", " . ": "file", "": "file", "..": "file", "\xff\xfe.pdf": "pdf", " a.pdf ": "a.pdf",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	long := cleanName(strings.Repeat("ä", 300) + ".pdf")
	if len(long) > 200 || !strings.HasSuffix(long, ".pdf") || strings.ContainsRune(long, '\uFFFD') {
		t.Errorf("a long name became %q", long)
	}
}

func TestMegabytes(t *testing.T) {
	for n, want := range map[int64]string{1: "1 kB", 1024: "1 kB", 1025: "2 kB", 1 << 20: "1 MB", 3 << 19: "1.5 MB", 25 << 20: "25 MB"} {
		if got := megabytes(n); got != want {
			t.Errorf("%d bytes are %s, not %s", n, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for want, list := range map[string][]string{"": nil, "PDF": {"pdf"}, "JPG": {"jpg", "jpeg"}, "PDF or PNG": {"pdf", "png"}, "PDF, JPG or PNG": {"pdf", "jpg", "jpeg", "png"}} {
		if got := words(list); got != want {
			t.Errorf("%q are %q", list, got)
		}
	}
}
