package notify

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/hooks/access"
)

var update = flag.Bool("update", false, "write the golden files")

// sample is a letter of every kind, with words that try to break out.
func sample(kind string) Letter {
	l := Letter{
		Firm: access.Firm{Name: "Harbour & Finch", Accent: "#0b5f59"}, Hello: "Seán Ó Briain", Title: "Tax return <2025>", Organization: "Bluebell Bakery Ltd",
		When: "Tue 9 Dec, 14:05", By: "Fri 12 Dec", Link: "https://portal.example/r/r1", Button: "Open the request",
		Because: because("You are the contact for this request."),
	}
	point := func(key, title string) Point {
		return Point{Title: title, Link: "https://portal.example/r/r1#item-" + key}
	}
	if kind == "another_look" || kind == "your_turn" {
		l.Link, l.Button = "https://portal.example/r/r1#item-photo_id", "Open what is needed"
	}
	switch kind {
	case "another_look":
		l.Count, l.Quote = 2, "Nearly there."
		photo, bank := point("photo_id", "Photo ID"), point("bank", "Bank statement")
		photo.Reason, photo.Comment = "Unreadable", "The number is cut off.\n<script>alert(1)</script>"
		bank.Reason = "Out of date"
		l.SentBack, l.Missing = []Point{photo, bank}, []Point{point("lease", "Lease")}
	case "your_turn":
		l.Count, l.Missing = 2, []Point{point("photo_id", "Photo ID"), point("bank", "Bank statement & notes")}
	case "finished":
		l.State, l.By = "All done", ""
	case "closed":
		l.State, l.Quote, l.By = "Closed without result", "You told us that you moved to another firm.", ""
	case "submitted":
		l.Received, l.By = []string{"Photo ID", "Bank statement"}, ""
	case "staff":
		l.Hello, l.Who, l.State, l.YourTurn, l.Quote = "Priya Nair", "Ana Petrova", "Submitted", true, "Please hurry."
		l.Link, l.Button = "https://portal.example/_/#/gatehouse/request/r1", "Open the request"
		l.Because = because("You own Tax return <2025>.")
	case "message":
		l.Who, l.Quote, l.By, l.Button = "Priya Nair", "Which year do you mean?\n\n<b>2024</b> or 2025?", "", "Read and answer"
	case "notice":
		l.State, l.By = "We are checking what you sent", ""
	case "invitation":
		l.Who, l.RoleText, l.By = "Helen Finch", access.RoleText("admin"), "Tue 16 Dec"
		l.Link, l.Button = "https://portal.example/invite/abc", "Open the invitation"
		l.Because = because("Helen Finch entered your address. If you do not know Harbour & Finch, you can ignore this mail: nothing happens without you.")
	case "attacked":
		l.Hello, l.Who, l.Count, l.By = "Helen Finch", "Ana Petrova", 20, ""
		l.Link, l.Button, l.Because = "https://portal.example/_/", "Open the console", because("You are an owner of this portal.")
	case "passkey_added", "passkey_copied", "passkey_removed":
		l.What, l.By, l.Link, l.Button = "Ana's <phone>", "", "https://portal.example/settings/profile", "Open your account"
		l.Because = because("It is about how you sign in.")
	case "renewal":
		l.Who, l.Link, l.Button = "Ana Petrova", "https://portal.example/_/#/gatehouse/client/o1", "Open the client"
	case "digest":
		l.Count, l.Link, l.Because = 2, "", "You get this as a summary. Each line says why."
		l.Entries = []Entry{
			{"Tax return <2025>: Submitted", "https://portal.example/_/#/gatehouse/request/r1", because("You own Tax return <2025>.")},
			{"Year-end papers: Submitted", "https://portal.example/_/#/gatehouse/request/r2", because("You own Year-end papers.")},
		}
	case "reminder":
		l.Count, l.Quote, l.State = 3, "", "We need some things from you"
	case "escalation":
		l.Hello, l.What, l.State, l.Quote, l.By = "Priya Nair", "Client has gone quiet - call them.", "Waiting for client", "", "Fri 12 Dec"
		l.Link, l.Button, l.Because = "https://portal.example/_/#/gatehouse/request/r1", "Open the request", because("You are the handler on Tax return <2025>.")
	case "reminders":
		l.Count, l.Link, l.Because = 2, "", "You get this as a summary. Each line says why."
		l.Entries = []Entry{
			{"Tax return <2025> is due on Fri 12 Dec. 4 items are left", "https://portal.example/r/r1", because("Your side has the turn on Tax return <2025>.")},
			{"Year-end papers waits for you", "https://portal.example/r/r2", because("Your side has the turn on Year-end papers.")},
		}
	case "sign_in_code":
		l = Letter{Firm: l.Firm, Code: "482913", Link: "https://portal.example/", Button: "Back to the portal"}
	case "password_reset", "email_change", "verification":
		l = Letter{Firm: l.Firm, Link: "https://portal.example/reset-password/abc", Button: "Choose a new password"}
	}
	return l
}

func TestRender_golden(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(kind, func(t *testing.T) {
			r, err := Render(kind, sample(kind))
			if err != nil {
				t.Fatal(err)
			}
			got := "Subject: " + r.Subject + "\n\n" + r.Text + "\n=== HTML ===\n" + r.HTML
			file := filepath.Join("testdata", kind+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Fatalf("differs from %s; if that is meant, run with -update\n%s", file, got)
			}
			for _, leak := range []string{"<script>", "<b>2024", "<2025>", "<no value>", "ZgotmplZ"} {
				if strings.Contains(r.HTML, leak) {
					t.Errorf("%s is in the HTML", leak)
				}
			}
		})
	}
}

func TestRender_textIsAsCompleteAsHTML(t *testing.T) {
	r, err := Render("another_look", sample("another_look"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"Photo ID", "Unreadable", "The number is cut off.", "Bank statement", "Out of date", "Lease", "Nearly there.", "Fri 12 Dec",
		"https://portal.example/r/r1#item-photo_id", "You get this because you are the contact for this request.",
	} {
		if !strings.Contains(r.Text, part) || !strings.Contains(r.HTML, part) {
			t.Errorf("%q is not in both parts", part)
		}
	}
}

func TestRender_subjects(t *testing.T) {
	l := Letter{Title: "Tax return 2025\r\nBcc: all@example.com", Count: 1, Firm: access.Firm{Name: "Northgate", Accent: "#ffcc00"}}
	r, err := Render("another_look", l)
	if err != nil {
		t.Fatal(err)
	}
	if r.Subject != "Tax return 2025 Bcc: all@example.com: 1 item needs another look" {
		t.Errorf("%q", r.Subject)
	}
	if _, err := Render("no such kind", l); err == nil {
		t.Error("an unknown kind is an error")
	}
}

func TestInk(t *testing.T) {
	for accent, want := range map[string]string{"#0b5f59": "#ffffff", "#ffcc00": "#10211f", "#ffffff": "#10211f", "red": "#ffffff"} {
		if got := ink(accent); got != want {
			t.Errorf("%s on %s", got, accent)
		}
	}
}
