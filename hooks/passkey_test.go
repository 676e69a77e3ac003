package hooks_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/gatetest"
)

var b64 = base64.RawURLEncoding

// key is an authenticator in software with one passkey: what a phone does, and
// what a thief would like it to do.
type key struct {
	origin  string
	rp      string
	handle  []byte
	id      []byte
	private *ecdsa.PrivateKey
	count   uint32
	flags   byte // user present 1, user verified 4
}

func newKey(t *testing.T) *key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	return &key{origin: "http://localhost:8090", rp: "localhost", id: id, private: private, flags: 1 | 4}
}

func (k *key) client(kind, challenge string) []byte {
	return []byte(fmt.Sprintf(`{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, k.origin))
}

func (k *key) authenticator(flags byte) []byte {
	rp := sha256.Sum256([]byte(k.rp))
	return binary.BigEndian.AppendUint32(append(rp[:], flags), k.count)
}

// create answers the options of a new passkey; CBOR by hand, RFC 9052 section 7.
func (k *key) create(t *testing.T, options map[string]any) map[string]any {
	t.Helper()
	handle, err := b64.DecodeString(options["user"].(map[string]any)["id"].(string))
	if err != nil {
		t.Fatal(err)
	}
	k.handle = handle
	public, err := k.private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, public[1:33]...)
	cose = append(append(cose, 0x22, 0x58, 32), public[33:]...)
	data := append(k.authenticator(k.flags|0x40), make([]byte, 16)...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(k.id))), k.id...)
	data = append(data, cose...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return k.answer(map[string]any{
		"clientDataJSON": b64.EncodeToString(k.client("webauthn.create", options["challenge"].(string))), "attestationObject": b64.EncodeToString(append(object, data...)),
	})
}

// get answers the options of a sign-in or a proof.
func (k *key) get(t *testing.T, options map[string]any) map[string]any {
	t.Helper()
	k.count++
	client, data := k.client("webauthn.get", options["challenge"].(string)), k.authenticator(k.flags)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return k.answer(map[string]any{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data), "signature": b64.EncodeToString(signature), "userHandle": b64.EncodeToString(k.handle),
	})
}

func (k *key) answer(response map[string]any) map[string]any {
	id := b64.EncodeToString(k.id)
	return map[string]any{"credential": map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}}}
}

// window is a browser: it keeps its cookie and its sign-in.
type window struct {
	*gatetest.Stage
	cookie, token string
}

func (w *window) ask(t *testing.T, method, path string, body any) gatetest.Answer {
	t.Helper()
	a := w.Ask(t, nil, method, path, body, "Cookie", w.cookie, "Authorization", w.token)
	for _, c := range cookiesOf(a) {
		w.cookie = c.Name + "=" + c.Value
	}
	return a
}

func browser(t *testing.T, s *gatetest.Stage, collection, name string) *window {
	t.Helper()
	return &window{Stage: s, token: signIn(t, s, collection, name)}
}

// add gives the person of the window a passkey.
func (w *window) add(t *testing.T, name string) (k *key, id string) {
	t.Helper()
	k = newKey(t)
	a := w.ask(t, "POST", "/api/portal/passkeys/start", map[string]any{"password": gatetest.Password})
	want(t, a, 200)
	body := k.create(t, a.Body)
	body["name"] = name
	return k, mustBe(t, w.ask(t, "POST", "/api/portal/passkeys", body))
}

// start begins a sign-in by passkey.
func (w *window) start(t *testing.T, body map[string]any) map[string]any {
	t.Helper()
	a := w.ask(t, "POST", "/api/portal/passkeys/sign-in/start", body)
	want(t, a, 200)
	return a.Body
}

var (
	asClient = map[string]any{"collection": "users"}
	asStaff  = map[string]any{"collection": "staff"}
)

func (w *window) enter(t *testing.T, k *key, as map[string]any) gatetest.Answer {
	t.Helper()
	return w.ask(t, "POST", "/api/portal/passkeys/sign-in", k.get(t, w.start(t, as)))
}

func TestPasskeys_signInByThemselves(t *testing.T) {
	s := gatetest.New(t)
	for _, x := range []struct {
		name string
		who  *core.Record
		as   map[string]any
	}{{"Anna", s.Anna, asClient}, {"Sam", s.Sam, asStaff}} {
		w := &window{Stage: s, token: s.Token(t, x.who)}
		want(t, w.ask(t, "POST", "/api/portal/passkeys/start", nil), 400) // without a proof
		k, _ := w.add(t, "My phone")
		door := &window{Stage: s}
		a := door.enter(t, k, x.as)
		want(t, a, 200)
		door.token = a.Body["token"].(string)
		list := door.ask(t, "GET", "/api/portal/passkeys", nil)
		want(t, list, 200)
		if row := list.Body["items"].([]any)[0].(map[string]any); row["name"] != "My phone" || row["last_used"] == "" || row["works"] != true || len(row) != 5 {
			t.Errorf("%s", list.Raw)
		}
		var method string
		scan(t, s.App(), `SELECT method FROM sessions WHERE principal = {:id} AND method != ''`, x.who.Id, &method)
		if method != "passkey" {
			t.Errorf("%s: the session says %q", x.name, method)
		}
		var told int
		scan(t, s.App(), `SELECT COUNT(*) FROM events WHERE type = 'passkey.added' AND payload LIKE '%' || {:id} || '%'`, x.who.Id, &told)
		if told != 1 {
			t.Errorf("%s was told %d times", x.name, told)
		}
		scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in' AND change LIKE '%passkey%' AND record = {:id}`, x.who.Id, &told)
		if told != 1 {
			t.Errorf("%s: %d sign-ins on the trail", x.name, told)
		}
	}
}

func TestPasskeys_whatIsRefused(t *testing.T) {
	s := gatetest.New(t)
	anna := browser(t, s, "users", "Anna")
	k, _ := anna.add(t, "My phone")
	ben, _ := browser(t, s, "users", "Ben").add(t, "Ben's")
	w := &window{Stage: s}
	const finish = "/api/portal/passkeys/sign-in"
	refused := func(why string, a gatetest.Answer) {
		t.Helper()
		if a.Status != 400 || a.Body["token"] != nil || !strings.Contains(string(a.Raw), "proof_wrong") {
			t.Errorf("%s: answered %d %s", why, a.Status, a.Raw)
		}
	}

	answer := k.get(t, w.start(t, asClient))
	want(t, w.ask(t, "POST", finish, answer), 200)
	refused("a challenge that was answered", w.ask(t, "POST", finish, answer))

	options := w.start(t, asClient)
	refused("another browser's challenge", (&window{Stage: s}).ask(t, "POST", finish, k.get(t, options)))
	refused("a challenge that another browser tried", w.ask(t, "POST", finish, k.get(t, options)))
	refused("a challenge of nobody's", w.ask(t, "POST", finish, k.get(t, map[string]any{"challenge": b64.EncodeToString(make([]byte, 32))})))
	want(t, anna.ask(t, "POST", "/api/portal/passkeys/prove", nil), 200)
	refused("a challenge for a proof", anna.ask(t, "POST", finish, k.get(t, anna.ask(t, "POST", "/api/portal/passkeys/prove", nil).Body)))

	twist := func(why string, change func(k *key)) {
		t.Helper()
		other := *k
		change(&other)
		refused(why, w.enter(t, &other, asClient))
		k.count = other.count
	}
	twist("another origin", func(k *key) { k.origin = "http://localhost.example" })
	twist("another port", func(k *key) { k.origin = "http://localhost:8091" })
	twist("another party", func(k *key) { k.rp = "example.com" })
	twist("nobody unlocked it", func(k *key) { k.flags = 1 })
	twist("Ben's handle", func(k *key) { k.handle = ben.handle })
	twist("no handle", func(k *key) { k.handle = nil })
	twist("Ben's key under Anna's name", func(k *key) { k.private = ben.private })
	twist("a passkey that is not known", func(k *key) { k.id = make([]byte, 16) })
	refused("the other door", w.enter(t, k, asStaff))
	want(t, w.enter(t, k, asClient), 200) // none of that harmed it

	var trail int
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in_failed' AND record = {:id} AND change LIKE '%passkey%'`, s.Anna.Id, &trail)
	if trail != 7 {
		t.Errorf("%d failures on the trail", trail)
	}
	// What a request says of its host is nothing.
	other := *k
	other.origin, other.rp = "http://evil.example", "evil.example"
	options = w.Ask(t, nil, "POST", finish+"/start", asClient, "Host", "evil.example", "Cookie", w.cookie).Body
	if options["rpId"] != "localhost" || options["userVerification"] != "required" {
		t.Errorf("asked for %v", options)
	}
	refused("the host of a request", w.Ask(t, nil, "POST", finish, other.get(t, options), "Host", "evil.example", "Cookie", w.cookie))
}

func TestPasskeys_aCounterThatGoesBack(t *testing.T) {
	s := gatetest.New(t)
	k, _ := browser(t, s, "users", "Anna").add(t, "My phone")
	w := &window{Stage: s}
	k.count = 10
	want(t, w.enter(t, k, asClient), 200)
	k.count = 5
	want(t, w.enter(t, k, asClient), 400)
	var count, trail, told int
	scan(t, s.App(), `SELECT sign_count FROM passkeys WHERE principal = {:id}`, s.Anna.Id, &count)
	scan(t, s.App(), `SELECT COUNT(*) FROM audit_log WHERE action = 'sign_in_failed' AND record = {:id} AND change LIKE '%counter_went_back%'`, s.Anna.Id, &trail)
	scan(t, s.App(), `SELECT COUNT(*) FROM events WHERE type = 'passkey.copied' AND payload LIKE '%' || {:id} || '%'`, s.Anna.Id, &told)
	if count != 11 || trail != 1 || told != 1 {
		t.Errorf("counter %d, %d on the trail, told %d times", count, trail, told)
	}
	k.count = 11
	want(t, w.enter(t, k, asClient), 200)
}

func TestPasskeys_removedOrTheirOwnerGone(t *testing.T) {
	s := gatetest.New(t)
	anna := browser(t, s, "users", "Anna")
	k, id := anna.add(t, "My phone")
	door := &window{Stage: s}
	a := door.enter(t, k, asClient)
	want(t, a, 200)
	door.token = a.Body["token"].(string)
	// Nobody else's, not without a proof; a passkey is one.
	remove := "/api/portal/passkeys/" + id + "/remove"
	want(t, browser(t, s, "users", "Ben").ask(t, "POST", remove, map[string]any{"password": gatetest.Password}), 404)
	want(t, browser(t, s, "users", "Ben").ask(t, "PATCH", "/api/portal/passkeys/"+id, map[string]any{"name": "Mine"}), 404)
	want(t, anna.ask(t, "POST", remove, nil), 400)
	want(t, anna.ask(t, "PATCH", "/api/portal/passkeys/"+id, map[string]any{"name": "  "}), 400)
	want(t, anna.ask(t, "PATCH", "/api/portal/passkeys/"+id, map[string]any{"name": "Old phone"}), 204)
	proof := k.get(t, anna.ask(t, "POST", "/api/portal/passkeys/prove", nil).Body)["credential"]
	want(t, anna.ask(t, "POST", remove, map[string]any{"passkey": proof}), 204)
	want(t, (&window{Stage: s}).enter(t, k, asClient), 400)
	want(t, door.ask(t, "GET", "/api/portal/me", nil), 200) // sessions go on
	var told int
	scan(t, s.App(), `SELECT COUNT(*) FROM events WHERE type = 'passkey.removed' AND payload LIKE '%Old phone%' AND payload LIKE '%' || {:id} || '%'`, s.Anna.Id, &told)
	if told != 1 {
		t.Errorf("told %d times", told)
	}

	t.Setenv("GATEHOUSE_STAFF_SECOND_FACTOR", "optional")
	k, _ = browser(t, s, "staff", "Sam").add(t, "Key")
	want(t, s.Ask(t, s.Sol, "PATCH", "/api/collections/staff/records/"+s.Sam.Id, map[string]any{"active": false}), 200)
	if a := (&window{Stage: s}).enter(t, k, asStaff); a.Status != 403 || a.Body["token"] != nil {
		t.Errorf("deactivated: %d %s", a.Status, a.Raw)
	}
}

// Too many wrong answers make the address wait; wrong passwords hold no passkey
// up, and a passkey clears their count.
func TestPasskeys_andTheLocks(t *testing.T) {
	s := gatetest.New(t)
	k, _ := browser(t, s, "users", "Anna").add(t, "My phone")
	for range 6 {
		tryPassword(t, s, "anna@example.com", "wrong password", "192.0.2.1:1234")
	}
	want(t, tryPassword(t, s, "anna@example.com", gatetest.Password, "192.0.2.1:1234"), 429)
	w := &window{Stage: s}
	want(t, w.enter(t, k, asClient), 200)
	want(t, tryPassword(t, s, "anna@example.com", gatetest.Password, "192.0.2.1:1234"), 200)
	bad := *k
	bad.origin = "http://evil.example"
	for range 31 {
		want(t, w.enter(t, &bad, asClient), 400)
	}
	want(t, w.enter(t, k, asClient), 429)
}

func TestPasskeys_asSecondStepAndProof(t *testing.T) {
	s := gatetest.New(t)
	mails(t, s)
	w := &window{Stage: s, token: s.Token(t, s.Pat)}
	k, _ := w.add(t, "My phone")
	other, _ := (&window{Stage: s, token: s.Token(t, s.Sam)}).add(t, "Sam's")
	first := byPassword(t, s, "staff", "Pat")
	if want(t, first, 401); fmt.Sprint(first.Body["methods"]) != "[passkey otp]" {
		t.Fatalf("%s", first.Raw)
	}
	door, second := &window{Stage: s}, map[string]any{"mfaId": first.Body["mfaId"]}
	want(t, door.enter(t, other, second), 400) // somebody else's
	want(t, door.enter(t, k, second), 200)
	want(t, door.ask(t, "POST", "/api/portal/passkeys/sign-in/start", second), 401) // the first step is used up

	// With a passkey nobody sets an app up at the door.
	settings := s.Settings()
	settings.SMTP.Enabled = false
	if err := s.Save(settings); err != nil {
		t.Fatal(err)
	}
	first = byPassword(t, s, "staff", "Pat")
	if fmt.Sprint(first.Body["methods"]) != "[passkey]" {
		t.Errorf("%s", first.Raw)
	}
	want(t, s.Ask(t, nil, "POST", "/api/portal/second-factor/setup", map[string]any{"mfaId": first.Body["mfaId"]}), 400)

	// What matters asks again, and a passkey answers.
	s.Clock.Move(time.Hour)
	invite := map[string]any{"name": "Tess", "email": "tess@example.com", "role": "viewer", "active": true, "password": gatetest.Password, "passwordConfirm": gatetest.Password}
	want(t, w.ask(t, "POST", "/api/collections/staff/records", invite), 403)
	proof := k.get(t, w.ask(t, "POST", "/api/portal/passkeys/prove", nil).Body)["credential"]
	want(t, w.ask(t, "POST", "/api/portal/prove", map[string]any{"passkey": proof}), 200)
	want(t, w.ask(t, "POST", "/api/portal/prove", map[string]any{"passkey": proof}), 400) // once
	want(t, w.ask(t, "POST", "/api/collections/staff/records", invite), 200)
}

// A lost device: two people of the firm take the passkeys away, as they do an app.
func TestPasskeys_areTakenAwayByTwo(t *testing.T) {
	s := gatetest.New(t)
	anna := browser(t, s, "users", "Anna")
	k, _ := anna.add(t, "My phone")
	reset, reason := "/api/portal/people/"+s.Anna.Id+"/second-factor/reset", map[string]any{"reason": "She rang from the office."}
	if a := s.Ask(t, s.Mia, "GET", "/api/portal/people/"+s.Anna.Id+"/sessions", nil); a.Body["second_factor"].(map[string]any)["passkeys"] != 1.0 {
		t.Errorf("%s", a.Raw)
	}
	want(t, s.Ask(t, s.Mia, "POST", reset, reason), 202)
	want(t, s.Ask(t, s.Mia, "POST", reset, reason), 400)
	want(t, s.Ask(t, s.Pat, "POST", reset, nil), 204)
	want(t, (&window{Stage: s}).enter(t, k, asClient), 400)
	want(t, s.Ask(t, s.Mia, "POST", reset, reason), 400) // nothing left
	// The row of the wish is no app to be set up.
	k, _ = browser(t, s, "users", "Anna").add(t, "Next")
	want(t, s.Ask(t, s.Mia, "POST", reset, reason), 202)
	want(t, browser(t, s, "users", "Anna").ask(t, "POST", "/api/portal/second-factor/confirm", map[string]any{"code": "123456"}), 400)
	want(t, (&window{Stage: s}).enter(t, k, asClient), 200)
}

// Passkeys work at the configured address alone, and not where browsers have none.
func TestPasskeys_needTheAddress(t *testing.T) {
	s := gatetest.New(t)
	w := browser(t, s, "users", "Anna")
	k, _ := w.add(t, "My phone")
	move := func(address string) {
		t.Helper()
		settings := s.Settings()
		settings.Meta.AppURL = address
		if err := s.Save(settings); err != nil {
			t.Fatal(err)
		}
	}
	for address, why := range map[string]string{"http://127.0.0.1:8090": "number", "http://portal.example.com": "https"} {
		move(address)
		a := w.ask(t, "GET", "/api/portal/passkeys", nil)
		if a.Body["origin"] != "" || !strings.Contains(a.Body["why"].(string), why) || a.Body["items"].([]any)[0].(map[string]any)["works"] != false {
			t.Errorf("%s: %s", address, a.Raw)
		}
		want(t, w.ask(t, "POST", "/api/portal/passkeys/start", map[string]any{"password": gatetest.Password}), 400)
		want(t, w.ask(t, "POST", "/api/portal/passkeys/sign-in/start", asClient), 400)
		if a := s.Ask(t, nil, "GET", "/api/portal/firm", nil); a.Body["passkeys"] != "" {
			t.Errorf("%s: %s", address, a.Raw)
		}
	}
	move("https://Portal.example.com/")
	if a := s.Ask(t, nil, "GET", "/api/portal/firm", nil); a.Body["passkeys"] != "https://portal.example.com" {
		t.Errorf("%s", a.Raw)
	}
	other := *k
	other.origin, other.rp = "https://portal.example.com", "portal.example.com"
	want(t, (&window{Stage: s}).enter(t, &other, asClient), 400) // made for the old address
	fresh := newKey(t)
	fresh.origin, fresh.rp = other.origin, other.rp
	body := fresh.create(t, w.ask(t, "POST", "/api/portal/passkeys/start", map[string]any{"password": gatetest.Password}).Body)
	body["name"] = "New"
	want(t, w.ask(t, "POST", "/api/portal/passkeys", body), 200)
	want(t, w.ask(t, "POST", "/api/portal/passkeys", body), 400) // a used challenge
	want(t, (&window{Stage: s}).enter(t, fresh, asClient), 200)
}
