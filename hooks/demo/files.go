package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"
	"github.com/xuri/excelize/v2"
)

// cabinet keeps each file that clients send, made once for each name.
type cabinet map[string]*sheet

// sheet is a file with what is stored of it.
type sheet struct {
	content []byte
	mime    string
	digest  string // SHA-256 as hex
}

const (
	mimePDF = "application/pdf"
	mimePNG = "image/png"
	mimeXLS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// sheet makes a file whose content follows from its name alone.
func (c cabinet) sheet(name string) (*sheet, error) {
	if s, ok := c[name]; ok {
		return s, nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	chance := rand.New(rand.NewPCG(h.Sum64(), 1))
	title := words(strings.TrimSuffix(name, path.Ext(name)))
	s := &sheet{}
	var err error
	switch path.Ext(name) {
	case ".pdf":
		s.mime = mimePDF
		s.content, err = paper(title, chance)
	case ".png":
		s.mime = mimePNG
		s.content, err = scan(title, chance)
	case ".xlsx":
		s.mime = mimeXLS
		s.content, err = table(title, chance)
	default:
		err = fmt.Errorf("no such kind of file")
	}
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	sum := sha256.Sum256(s.content)
	s.digest = hex.EncodeToString(sum[:])
	c[name] = s
	return s, nil
}

// words turns a file's name into a title: "bank-statements" → "Bank statements".
func words(name string) string {
	s := strings.ReplaceAll(name, "-", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

// printed is the date that all files carry: their bytes must not change.
var printed = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// line is an entry of a statement, amounts in pence.
type line struct {
	day    int
	text   string
	amount int
}

var entries = []string{"Card payment", "Supplier", "Rent", "Insurance", "Customer payment", "Wages", "Electricity", "Software", "Fuel", "Bank charge", "Delivery", "Materials"}

func lines(chance *rand.Rand, n int) []line {
	list := make([]line, n)
	for i := range list {
		list[i] = line{day: 1 + i*27/n, text: entries[chance.IntN(len(entries))], amount: 900 + chance.IntN(240_000)}
	}
	return list
}

func pounds(pence int) string { return fmt.Sprintf("%d.%02d", pence/100, pence%100) }

// paper is a printed page with a table, such as a statement or an invoice.
func paper(title string, chance *rand.Rand) ([]byte, error) {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCreationDate(printed)
	p.SetModificationDate(printed)
	p.SetCatalogSort(true)
	p.SetTitle(title, false)
	p.AddPage()
	p.SetFont("Helvetica", "B", 16)
	p.CellFormat(0, 10, title, "", 1, "L", false, 0, "")
	p.SetFont("Helvetica", "", 9)
	p.CellFormat(0, 6, "Made for a demonstration. No such business exists.", "B", 1, "L", false, 0, "")
	p.Ln(6)
	p.SetFont("Helvetica", "", 10)
	sum := 0
	for _, l := range lines(chance, 22) {
		sum += l.amount
		p.CellFormat(20, 7, fmt.Sprintf("%02d", l.day), "B", 0, "L", false, 0, "")
		p.CellFormat(120, 7, l.text, "B", 0, "L", false, 0, "")
		p.CellFormat(0, 7, pounds(l.amount), "B", 1, "R", false, 0, "")
	}
	p.SetFont("Helvetica", "B", 10)
	p.CellFormat(140, 9, "Total", "", 0, "L", false, 0, "")
	p.CellFormat(0, 9, pounds(sum), "", 1, "R", false, 0, "")
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}

// table is a workbook with one sheet and a sum.
func table(title string, chance *rand.Rand) (content []byte, err error) {
	f := excelize.NewFile()
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	stamp := printed.Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Title: title, Creator: "Demonstration", Created: stamp, Modified: stamp}); err != nil {
		return nil, fmt.Errorf("describe workbook: %w", err)
	}
	rows := [][]any{{title}, {"Day", "What", "Amount"}}
	for _, l := range lines(chance, 30) {
		rows = append(rows, []any{l.day, l.text, float64(l.amount) / 100})
	}
	for n, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", n+1), &row); err != nil {
			return nil, fmt.Errorf("write row: %w", err)
		}
	}
	if err := f.SetCellFormula("Sheet1", fmt.Sprintf("C%d", len(rows)+1), fmt.Sprintf("SUM(C3:C%d)", len(rows))); err != nil {
		return nil, fmt.Errorf("write sum: %w", err)
	}
	if err := f.SetColWidth("Sheet1", "B", "B", 28); err != nil {
		return nil, fmt.Errorf("set width: %w", err)
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	return b.Bytes(), nil
}
