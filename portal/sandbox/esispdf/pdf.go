package esispdf

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-pdf/fpdf"
)

// The page, in millimetres.
const (
	margin    = 18.0
	width     = 210 - 2*margin
	bottom    = 20.0
	lineOne   = 4.7
	labelSide = 68.0
)

type colour struct{ r, g, b int }

var (
	ink    = colour{33, 37, 41}
	soft   = colour{108, 117, 125}
	brand  = colour{20, 83, 79}
	tint   = colour{236, 244, 242}
	rule   = colour{206, 218, 215}
	alert  = colour{155, 34, 38}
	white  = colour{255, 255, 255}
	shadow = colour{240, 244, 243}
)

// layout lays out a sheet. The core fonts with Windows-1252 have all letters of Portuguese and make a small file that every
// reader shows alike; a letter that they lack is printed as a full stop.
type layout struct {
	*fpdf.Fpdf
	contents contents
	enc      func(string) string
	err      error
}

// PDF returns the sheet as a PDF. The same sheet always gives the same bytes.
func (s Sheet) PDF() ([]byte, error) {
	contents, err := s.contents()
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", "A4", "")
	p := &layout{Fpdf: pdf, contents: contents, enc: pdf.UnicodeTranslatorFromDescriptor("")}
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(s.Issued)
	pdf.SetModificationDate(s.Issued)
	pdf.SetLang("pt-PT")
	pdf.SetTitle(fmt.Sprintf("FINE %d", s.Number), true)
	pdf.SetMargins(margin, margin, margin)
	pdf.SetAutoPageBreak(true, bottom)
	pdf.AliasNbPages("{n}")
	pdf.SetHeaderFunc(p.watermark)
	pdf.SetFooterFunc(p.footer)
	pdf.AddPage()
	p.letterhead()
	p.tiles()
	for _, section := range fine.Sections {
		p.section(section)
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("write the PDF of an ESIS: %w", err)
	}
	return out.Bytes(), p.err
}

// words fills a text of fine.toml. The first error is stored for [Sheet.PDF] to return.
func (p *layout) words(text string, data any) string {
	filled, err := fill(text, data)
	if err != nil && p.err == nil {
		p.err = err
	}
	return filled
}

func (p *layout) style(bold string, size float64, c colour) {
	p.SetFont("Helvetica", bold, size)
	p.SetTextColor(c.r, c.g, c.b)
}

func (p *layout) fill(c colour) { p.SetFillColor(c.r, c.g, c.b) }
func (p *layout) draw(c colour) { p.SetDrawColor(c.r, c.g, c.b) }

func (p *layout) watermark() {
	p.style("B", 96, shadow)
	p.TransformBegin()
	p.TransformRotate(52, 105, 148)
	p.Text(105-p.GetStringWidth(fine.Sample)/2, 160, fine.Sample)
	p.TransformEnd()
	p.SetXY(margin, margin)
}

func (p *layout) footer() {
	p.SetY(-14)
	p.draw(rule)
	p.Line(margin, p.GetY(), margin+width, p.GetY())
	p.Ln(1.5)
	p.style("", 7.5, soft)
	p.CellFormat(width-32, 4, p.enc(p.words(fine.Footer, p.contents)), "", 0, "L", false, 0, "")
	p.CellFormat(32, 4, p.enc(p.words(fine.Page, p.PageNo())), "", 0, "R", false, 0, "")
}

func (p *layout) letterhead() {
	p.fill(brand)
	p.Rect(0, 0, 210, 29, "F")
	p.SetXY(margin, 7)
	p.style("B", 17, white)
	p.CellFormat(width-34, 8, p.enc(fine.Title), "", 2, "L", false, 0, "")
	p.style("", 10, white)
	p.CellFormat(width-34, 6, p.enc(fine.Subtitle+" · "+fine.Bank), "", 0, "L", false, 0, "")
	p.SetXY(margin+width-32, 9.5)
	p.fill(white)
	p.style("B", 11, alert)
	p.CellFormat(32, 10, p.enc(fine.Sample), "", 0, "C", true, 0, "")

	p.SetXY(margin, 33)
	p.style("B", 8.5, alert)
	p.MultiCell(width, 4.4, p.enc(fine.Notice), "", "L", false)
	if p.contents.Internal {
		p.Ln(1)
		p.fill(alert)
		p.style("B", 9, white)
		p.MultiCell(width, 6, p.enc(fine.Internal), "", "C", true)
	}
	p.Ln(1.5)
	p.style("", 9.5, ink)
	p.MultiCell(width, 4.8, p.enc(p.words(fine.Intro, p.contents)), "", "L", false)
	p.Ln(3)
}

// tiles shows the Figures that a reader looks for first.
func (p *layout) tiles() {
	const gap, high = 3.0, 16.0
	each := (width - gap*2) / 3
	top := p.GetY()
	for i, tile := range fine.Tiles {
		x, y := margin+float64(i%3)*(each+gap), top+float64(i/3)*(high+gap)
		p.fill(tint)
		p.RoundedRect(x, y, each, high, 1.6, "1234", "F")
		p.SetXY(x+4, y+2.6)
		p.style("", 8, soft)
		p.CellFormat(each-8, 4, p.enc(tile.Label), "", 2, "L", false, 0, "")
		p.style("B", 14, brand)
		p.CellFormat(each-8, 7, p.enc(p.words(tile.Value, p.contents)), "", 0, "L", false, 0, "")
	}
	rows := (len(fine.Tiles) + 2) / 3
	p.SetXY(margin, top+float64(rows)*(high+gap))
}

func (p *layout) section(section fineSection) {
	lines := p.contents.table(section.Table)
	if section.Table != "" && len(lines.rows) == 0 {
		return
	}
	p.breakPage(24)
	p.Ln(2.6)
	p.style("B", 11, brand)
	p.CellFormat(width, 6, p.enc(section.Title), "", 1, "L", false, 0, "")
	p.draw(brand)
	p.Line(margin, p.GetY(), margin+width, p.GetY())
	p.Ln(1.6)
	if section.Text != "" {
		p.style("", 9.2, ink)
		p.MultiCell(width, 4.7, p.enc(p.words(section.Text, p.contents)), "", "L", false)
		p.Ln(1.2)
	}
	for _, row := range section.Rows {
		p.row(row)
	}
	if len(lines.rows) > 0 {
		p.table(section.Columns, lines)
	}
}

// breakPage starts a new page if fewer millimetres are left, and returns whether it did.
func (p *layout) breakPage(millimetres float64) (started bool) {
	_, high := p.GetPageSize()
	if p.GetY()+millimetres <= high-bottom {
		return false
	}
	p.AddPage()
	return true
}

func (p *layout) row(row fineRow) {
	value := p.words(row.Value, p.contents)
	if strings.TrimSpace(value) == "" {
		return
	}
	p.style("", 9.2, ink)
	lines := len(p.SplitLines([]byte(p.enc(value)), width-labelSide))
	p.breakPage(float64(lines)*lineOne + 1)
	y := p.GetY()
	p.style("", 9.2, soft)
	p.MultiCell(labelSide-3, lineOne, p.enc(p.words(row.Label, p.contents)), "", "L", false)
	after := p.GetY()
	p.SetXY(margin+labelSide, y)
	p.style("", 9.2, ink)
	p.MultiCell(width-labelSide, lineOne, p.enc(value), "", "L", false)
	p.SetY(max(after, p.GetY()))
	p.draw(rule)
	p.Line(margin, p.GetY(), margin+width, p.GetY())
}

// table writes a header and rows; the first column is text, the others are Figures aligned to the right. The header
// comes back on every page.
func (p *layout) table(columns []string, lines grid) {
	first := labelSide + 20
	if len(columns) > 3 {
		first = 16
	}
	rest := (width - first) / float64(len(columns)-1)
	write := func(cells []string, high float64, shaded bool) {
		for i, cell := range cells {
			if i == 0 {
				p.CellFormat(first, high, p.enc(cell), "", 0, "L", shaded, 0, "")
				continue
			}
			p.CellFormat(rest, high, p.enc(cell), "", 0, "R", shaded, 0, "")
		}
		p.Ln(high)
	}
	header := func() {
		p.fill(brand)
		p.style("B", 8.5, white)
		write(columns, 6, true)
	}
	header()
	for i, cells := range lines.rows {
		needed := 6.0
		if lines.total && i == len(lines.rows)-2 {
			needed += lineOne // the total is never alone on a page
		}
		if p.breakPage(needed) {
			header()
		}
		last := lines.total && i == len(lines.rows)-1
		p.fill(tint)
		p.style("", 8.5, ink)
		if last {
			p.style("B", 8.5, brand)
		}
		write(cells, lineOne, i%2 == 1 || last)
	}
}
