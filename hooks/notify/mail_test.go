package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// postOffice is a real SMTP server in this process. Its answers are scripted,
// one for each try; then it takes everything.
type postOffice struct {
	mu     sync.Mutex
	script []func(conn net.Conn) error
	taken  []*mail.Message
	bodies []string
}

func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &session{office: o, conn: c.Conn()}, nil
}

type session struct {
	office *postOffice
	conn   net.Conn
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }

// Data reads the whole mail before it answers, so that a dropped connection is
// dropped after the mail has arrived.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	o := s.office
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken = append(o.taken, message)
	o.bodies = append(o.bodies, string(raw))
	if len(o.script) == 0 {
		return nil
	}
	answer := o.script[0]
	o.script = o.script[1:]
	return answer(s.conn)
}

func answer(code int, text string) func(net.Conn) error {
	return func(net.Conn) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
	}
}

func drop(conn net.Conn) error { return conn.Close() }

func (o *postOffice) messageIDs() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var ids []string
	for _, m := range o.taken {
		ids = append(ids, m.Header.Get("Message-ID"))
	}
	return ids
}

func (s *stage) withPostOffice(script ...func(net.Conn) error) *postOffice {
	s.t.Helper()
	office := &postOffice{script: script}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	server := smtp.NewServer(office)
	server.Domain = "localhost"
	go func() { _ = server.Serve(listener) }()
	s.t.Cleanup(func() { _ = server.Close() })
	settings := s.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port = true, "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	return office
}

// oneMail is a stage with a single mail in the queue.
func oneMail(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.lose(benID)
	s.happen("request.send", byPriya, sendPayload())
	equal(t, s.mails(), "ana@bluebell.example your_turn waiting")
	return s
}

func TestMailer_sends(t *testing.T) {
	s := oneMail(t)
	office := s.withPostOffice()
	s.pass()
	s.pass()
	equal(t, s.mails(), "ana@bluebell.example your_turn sent")
	equal(t, s.notices(), "ana email sent We need some things from Bluebell Bakery Ltd.")
	if len(office.taken) != 1 {
		t.Fatalf("%d mails on the wire", len(office.taken))
	}
	header := office.taken[0].Header
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "Subject": "Year-end papers: 1 thing we need from you", "Message-Id": s.text(`SELECT message_id FROM mails`),
		"To": `"Ana Petrova" <ana@bluebell.example>`,
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, part := range []string{"text/plain", "text/html"} {
		if !strings.Contains(office.bodies[0], part) {
			t.Errorf("no %s part", part)
		}
	}
}

func TestMailer_retriesWhatIsTemporaryUnderTheSameMessageID(t *testing.T) {
	s := oneMail(t)
	office := s.withPostOffice(answer(451, "try later"), answer(451, "try later"))
	s.pass()
	s.pass()
	if got := len(office.messageIDs()); got != 1 {
		t.Fatalf("tried %d times without a pause", got)
	}
	if got := s.text(`SELECT status || ' ' || attempts || ' ' || error FROM mails`); got != "waiting 1 The mail server answered 451 try later" {
		t.Fatal(got)
	}
	for _, pause := range []time.Duration{time.Minute, 5 * time.Minute} {
		s.now = s.now.Add(pause - time.Second)
		s.pass()
		s.now = s.now.Add(time.Second)
		s.pass()
	}
	ids := office.messageIDs()
	if len(ids) != 3 || len(slices.Compact(ids)) != 1 || ids[0] == "" {
		t.Fatalf("Message-IDs %v", ids)
	}
	equal(t, s.mails(), "ana@bluebell.example your_turn sent")
	if got := s.text(`SELECT status || ' ' || attempts || ' ' || error FROM notifications WHERE user != ''`); got != "sent 3 " {
		t.Fatal(got)
	}
}

func TestMailer_givesUpAfterTheLastPause(t *testing.T) {
	s := oneMail(t)
	script := slices.Repeat([]func(net.Conn) error{answer(451, "try later")}, 20)
	office := s.withPostOffice(script...)
	for range 20 {
		s.pass()
		s.now = s.now.Add(6 * time.Hour)
	}
	if got := len(office.messageIDs()); got != len(Backoff)+1 {
		t.Fatalf("tried %d times", got)
	}
	equal(t, s.mails(), "ana@bluebell.example your_turn failed")
	equal(t, s.notices(), "ana email failed We need some things from Bluebell Bakery Ltd.")
}

func TestMailer_aRefusalForGoodIsFinal(t *testing.T) {
	s := oneMail(t)
	office := s.withPostOffice(answer(550, "no such mailbox"))
	s.pass()
	s.now = s.now.Add(24 * time.Hour)
	s.pass()
	if got := len(office.messageIDs()); got != 1 {
		t.Fatalf("tried %d times", got)
	}
	equal(t, s.mails(), "ana@bluebell.example your_turn failed")
	if got := s.text(`SELECT error FROM notifications WHERE user != ''`); got != "The mail server answered 550 no such mailbox" {
		t.Fatal(got)
	}
}

func TestMailer_aLineDroppedAfterTheTextIsTriedAgainAsTheSameMail(t *testing.T) {
	s := oneMail(t)
	office := s.withPostOffice(drop)
	s.pass()
	if got := s.text(`SELECT status || ' ' || error FROM mails`); !strings.HasPrefix(got, "waiting The connection to the mail server broke") || !strings.Contains(got, "may have arrived") {
		t.Fatal(got)
	}
	s.now = s.now.Add(time.Minute)
	s.pass()
	ids := office.messageIDs()
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Fatalf("Message-IDs %v", ids)
	}
	equal(t, s.mails(), "ana@bluebell.example your_turn sent")
}

func TestMailer_withoutServerKeeps(t *testing.T) {
	s := oneMail(t)
	s.pass()
	equal(t, s.mails(), "ana@bluebell.example your_turn kept")
	equal(t, s.notices(), "ana email suppressed "+noServer)
	if got := s.text(`SELECT why || ' ' || attempts FROM mails`); got != noServer+" 0" {
		t.Fatal(got)
	}
}

func TestMailer_looksAgainBeforeItSends(t *testing.T) {
	s := oneMail(t)
	office := s.withPostOffice(answer(451, "try later"))
	s.pass()
	s.lose(anaID)
	s.now = s.now.Add(time.Minute)
	s.pass()
	if got := len(office.messageIDs()); got != 1 {
		t.Fatalf("sent %d times", got)
	}
	equal(t, s.mails(), "ana@bluebell.example your_turn kept")
	equal(t, s.notices(), "ana email suppressed "+noSight)
}

func TestMailer_killedBetweenClaimAndAnswer(t *testing.T) {
	s := oneMail(t)
	office := s.withPostOffice()
	w := waiting{ID: s.text(`SELECT id FROM mails`)}
	if err := s.mailer.claim(&w); err != nil {
		t.Fatal(err)
	}
	s.pass()
	if len(office.messageIDs()) != 0 {
		t.Fatal("a claimed mail waits for its next turn")
	}
	s.now = s.now.Add(time.Minute)
	s.pass()
	equal(t, s.mails(), "ana@bluebell.example your_turn sent")
}

func TestMailer_invitationFollowsItsMail(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer []func(net.Conn) error
		status string
	}{
		{"taken", nil, "sent"},
		{"refused for good", []func(net.Conn) error{answer(550, "no such mailbox")}, "bounced"},
		{"refused for now", []func(net.Conn) error{answer(450, "busy")}, "queued"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			s.withPostOffice(c.answer...)
			s.invitation("queued", 1)
			s.happen("invitation.created", byPriya, map[string]any{"invitation": "invite000000000", "sent_count": 1})
			s.pass()
			if got := s.text(`SELECT status FROM invitations`); got != c.status {
				t.Fatal(got)
			}
		})
	}
}

func TestMailer_runsWhenWoken(t *testing.T) {
	s := oneMail(t)
	ctx, cancel := context.WithCancel(context.Background())
	passes := make(chan struct{}, 8)
	s.mailer.Digest = func(context.Context) error { passes <- struct{}{}; return nil }
	done := make(chan struct{})
	go func() { s.mailer.Run(ctx, time.Hour); close(done) }()
	<-passes
	s.mailer.Wake()
	s.mailer.Wake()
	<-passes
	cancel()
	<-done
}

func TestMailer_aSilentServerIsLeft(t *testing.T) {
	s := oneMail(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	settings := s.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port = true, "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	s.mailer.Timeout = 50 * time.Millisecond
	s.pass()
	if got := s.text(`SELECT status || ' ' || attempts || ' ' || error FROM mails`); !strings.HasPrefix(got, "waiting 1 ") || !strings.Contains(got, errTimeout.Error()) {
		t.Fatal(got)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name  string
		err   error
		final bool
	}{
		{"an unknown mailbox is final", &textproto.Error{Code: 550, Msg: "no"}, true},
		{"a full mailbox is not", &textproto.Error{Code: 452, Msg: "full"}, false},
		{"a wrong password of ours is put right by somebody", &textproto.Error{Code: 535, Msg: "no"}, false},
		{"a server that is down comes back", &net.OpError{Op: "dial", Err: errors.New("refused")}, false},
		{"a broken line is in doubt", io.EOF, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v := judge(c.err); v.final != c.final || v.error == "" {
				t.Fatalf("%+v", v)
			}
		})
	}
}
