package access

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"gatehouse/hooks/problem"
	"gatehouse/hooks/schema"
)

// Programs are the accounts of other software. To every rule a program is an
// account of the firm, with a role and duties, that sees by rows of access; its
// token is its only way in. It acts for the person who made it, and never has
// more than that person has now: another role or other duties of the maker, or a
// wall, change the program in the same transaction.
type Programs struct {
	App      core.App
	Clock    schema.Clock
	Sessions *Sessions // a program's token is a session: ended, listed and noted as one
	Audit    func(tx core.App, t Trace) error
}

// Program is one of them, as stored, with what its maker and its session are now.
type Program struct {
	ID            string `db:"id"`
	Name          string `db:"name"`
	Maker         string `db:"maker"`
	MakerName     string `db:"maker_name"`
	MakerRole     string `db:"maker_role"`
	MakerActive   bool   `db:"maker_active"`
	Role          string `db:"role"`
	Duties        string `db:"duties"`
	Organizations string `db:"organizations"` // empty list: all that the maker sees
	Networks      string `db:"networks"`      // empty list: from anywhere
	DryRun        bool   `db:"dry_run"`
	Expires       string `db:"expires"`
	Hint          string `db:"hint"` // how the token ends, to tell one from another
	Session       string `db:"session"`
	Ended         string `db:"ended"`
	EndedWhy      string `db:"ended_why"`
	Created       string `db:"created"`
	LastUsed      string `db:"last_used"`
	LastIP        string `db:"last_ip"`
	Open          bool   `db:"open"` // the session has not ended
}

const selectProgram = `SELECT p.id, p.name, p.maker, m.name AS maker_name, m.role AS maker_role, m.active AS maker_active, p.role, COALESCE(p.duties, '[]') AS duties,
COALESCE(p.organizations, '[]') AS organizations, COALESCE(p.networks, '[]') AS networks, p.dry_run, p.expires, p.hint, p.session, p.ended, p.ended_why, p.created,
t.last_seen AS last_used, t.ip AS last_ip, t.ended = '' AND s.active = 1 AS open
FROM programs p JOIN staff s ON s.id = p.id JOIN staff m ON m.id = p.maker JOIN sessions t ON t.id = p.session `

// Why a program ended, as it is stored.
const (
	programRevoked = "revoked"
	programExpired = "expired"
	programMaker   = "maker" // left, or may not have programs any more
)

// mayHavePrograms says whether somebody of the firm may make programs.
func mayHavePrograms(active bool, role string) bool {
	return StaffMember{Active: active, Role: role}.AtLeast("manager")
}

// over says why the token is worth nothing at now, else "".
func (p *Program) over(now time.Time) string {
	switch {
	case p.Ended != "":
		return p.EndedWhy
	case p.Expires <= schema.Stamp(now):
		return programExpired
	case !mayHavePrograms(p.MakerActive, p.MakerRole):
		return programMaker
	case !p.Open:
		return programRevoked
	}
	return ""
}

// from says whether the token may be used from an address.
func (p *Program) from(ip string) bool {
	networks := schema.Strings(p.Networks)
	address, err := netip.ParseAddr(ip)
	return len(networks) == 0 || err == nil && slices.ContainsFunc(networks, func(n string) bool {
		network, err := netip.ParsePrefix(n)
		return err == nil && network.Contains(address.Unmap())
	})
}

func findProgram(app core.App, where string, params dbx.Params) (*Program, error) {
	var p Program
	err := app.DB().NewQuery(selectProgram + `WHERE ` + where).Bind(params).One(&p)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is no such program, and that is no fault
	}
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	return &p, nil
}

// A token is tokenPrefix, tokenLength random letters and a checksum of those, so
// that a scanner of leaked secrets knows one, and a mistyped one costs no look
// into the database.
const (
	tokenPrefix   = "gatehouse_"
	tokenLength   = 40
	checkLength   = 6
	hintLength    = 4
	tokenAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

func newProgramToken() string {
	letters := make([]byte, tokenLength)
	for i := range letters {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(tokenAlphabet)))) // never fails: it ends the program instead
		letters[i] = tokenAlphabet[n.Int64()]
	}
	return tokenPrefix + string(letters) + checksum(string(letters))
}

// checksum is the CRC-32 of the letters in base 62.
func checksum(letters string) string {
	sum := crc32.ChecksumIEEE([]byte(letters))
	out := make([]byte, checkLength)
	for i := range out {
		out[checkLength-1-i] = tokenAlphabet[sum%uint32(len(tokenAlphabet))]
		sum /= uint32(len(tokenAlphabet))
	}
	return string(out)
}

// IsProgramToken says whether a token looks like one of a program.
func IsProgramToken(token string) bool { return strings.HasPrefix(token, tokenPrefix) }

func wellFormed(token string) bool {
	letters := strings.TrimPrefix(token, tokenPrefix)
	return len(letters) == tokenLength+checkLength && checksum(letters[:tokenLength]) == letters[tokenLength:]
}

// NewProgram is what is asked for of a program.
type NewProgram struct {
	Name          string   `json:"name"`
	Role          string   `json:"role"` // viewer operator manager
	Duties        []string `json:"duties"`
	Organizations []string `json:"organizations"` // ids, each with everything below it; empty: all that the maker sees
	Networks      []string `json:"networks"`      // addresses or networks such as 192.0.2.0/24; empty: from anywhere
	Expires       string   `json:"expires"`       // a time, at most a year ahead
	DryRun        bool     `json:"dry_run"`       // checks what it writes, and keeps nothing
}

const longestProgramName = 80

// Make makes a program for somebody of the firm, and gives its token, which is
// stored as a digest only.
func (s *Programs) Make(maker StaffMember, actor schema.Actor, in NewProgram) (*Program, string, error) {
	if maker.Maker != "" || !mayHavePrograms(maker.Active, maker.Role) {
		return nil, "", problem.New(problem.Role, "Only a manager or an owner makes programs.")
	}
	if err := in.check(maker, s.Clock()); err != nil {
		return nil, "", err
	}
	token := newProgramToken()
	id := schema.NewID()
	var made *Program
	err := s.App.RunInTransaction(func(tx core.App) error {
		for _, organization := range in.Organizations {
			sees, err := Sees(tx, maker.ID, schema.StaffScope(organization), s.Clock())
			if err != nil {
				return err
			}
			if !sees {
				return problem.Field("organizations", problem.BadInput, "There is no such client, or you do not have access to it.")
			}
		}
		if err := s.store(tx, id, maker, actor, in, token); err != nil {
			return err
		}
		var err error
		made, err = findProgram(tx, `p.id = {:id}`, dbx.Params{"id": id})
		return err
	})
	return made, token, err
}

func (in *NewProgram) check(maker StaffMember, now time.Time) error {
	in.Name = strings.Join(strings.Fields(in.Name), " ")
	switch {
	case in.Name == "":
		return problem.Field("name", problem.FieldMissing, "Give the program a name.")
	case len([]rune(in.Name)) > longestProgramName:
		return problem.Field("name", problem.FieldInvalid, fmt.Sprintf("The name is too long (at most %d characters).", longestProgramName))
	case !slices.Contains([]string{"viewer", "operator", "manager"}, in.Role):
		return problem.Field("role", problem.FieldInvalid, "The role is viewer, operator or manager.")
	}
	for _, duty := range in.Duties {
		if !slices.Contains(maker.Duties, duty) {
			return problem.Field("duties", problem.NotYours, fmt.Sprintf("You do not have the duty %q, so your program cannot have it.", duty))
		}
	}
	expires := schema.Time(in.Expires)
	switch {
	case in.Expires == "":
		return problem.Field("expires", problem.FieldMissing, "Say until when the program may work, at most a year ahead.")
	case !expires.After(now) || expires.After(now.AddDate(1, 0, 0)):
		return problem.Field("expires", problem.FieldInvalid, "The token ends after today, and at most a year ahead.")
	}
	in.Expires = schema.Stamp(expires)
	for i, one := range in.Networks {
		network, err := parseNetwork(one)
		if err != nil {
			return problem.Field("networks", problem.FieldInvalid, fmt.Sprintf("%q is no address and no network. Write it as 192.0.2.10 or 192.0.2.0/24.", one))
		}
		in.Networks[i] = network
	}
	in.Duties, in.Organizations, in.Networks = unique(in.Duties), unique(in.Organizations), unique(in.Networks)
	return nil
}

// unique sorts and never gives nil, so that it is stored as a list.
func unique(list []string) []string {
	list = append([]string{}, list...)
	slices.Sort(list)
	return slices.Compact(list)
}

// parseNetwork reads an address as the network of itself alone.
func parseNetwork(text string) (string, error) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()).String(), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return "", fmt.Errorf("read network: %w", err)
	}
	return network.Masked().String(), nil
}

// store writes what was agreed, the session, and the account. The account comes
// last: what it sees is derived when it is saved.
func (s *Programs) store(tx core.App, id string, maker StaffMember, actor schema.Actor, in NewProgram, token string) error {
	now, session := schema.Stamp(s.Clock()), schema.NewID()
	err := schema.Insert(tx, schema.Programs, dbx.Params{
		"id": id, "name": in.Name, "maker": maker.ID, "role": in.Role, "duties": schema.JSON(in.Duties), "organizations": schema.JSON(in.Organizations),
		"networks": schema.JSON(in.Networks), "dry_run": in.DryRun, "expires": in.Expires, "token_hash": digest(token), "hint": token[len(token)-hintLength:], "session": session,
		"ended": "", "ended_by": "", "ended_why": "", "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("insert program: %w", err)
	}
	err = schema.Insert(tx, schema.Sessions, dbx.Params{
		"id": session, "collection": schema.Staff, "principal": id, "method": "program", "device": "A program", "agent": "", "ip": "", "device_key": "",
		"last_seen": now, "until": in.Expires, "ended": "", "ended_by": "", "ended_why": "", "proved": "", "created": now, "updated": now,
	})
	if err != nil {
		return fmt.Errorf("open the session of a program: %w", err)
	}
	if err := s.account(tx, id, maker, actor, in); err != nil {
		return err
	}
	return s.Audit(tx, Trace{Actor: actor, Action: "create", Collection: schema.Programs, Record: id, At: s.Clock(), Change: map[string]any{
		"name": in.Name, "role": in.Role, "duties": in.Duties, "organizations": in.Organizations, "networks": in.Networks, "expires": in.Expires, "dry_run": in.DryRun,
	}})
}

// account makes what rules and pages know of the program. Nobody can sign in
// with it: the collection's rule for signing in is for people.
func (s *Programs) account(tx core.App, id string, maker StaffMember, actor schema.Actor, in NewProgram) error {
	collection, err := tx.FindCachedCollectionByNameOrId(schema.Staff)
	if err != nil {
		return fmt.Errorf("find staff: %w", err)
	}
	account := core.NewRecord(collection)
	account.Id = id
	account.SetEmail("program-" + strings.ToLower(id) + "@programs.invalid")
	account.SetPassword(security.RandomString(40))
	account.Load(map[string]any{"name": programName(in.Name, maker.Name), "role": in.Role, "duties": in.Duties, "active": true, "maker": maker.ID})
	schema.SetActor(account, actor)
	if err := tx.Save(account); err != nil {
		return fmt.Errorf("save the account of a program: %w", err)
	}
	return nil
}

// programName is how a program's deeds are told.
func programName(name, maker string) string { return name + " for " + maker }

// followMaker gives the programs of a person what that person has now, and ends
// them when the person may not have any.
func followMaker(tx core.App, maker *core.Record, actor schema.Actor, now time.Time) error {
	var ids []string
	if err := tx.DB().NewQuery(`SELECT id FROM programs WHERE maker = {:maker} AND ended = ''`).Bind(dbx.Params{"maker": maker.Id}).Column(&ids); err != nil {
		return fmt.Errorf("find programs of %s: %w", maker.Id, err)
	}
	for _, id := range ids {
		p, err := findProgram(tx, `p.id = {:id}`, dbx.Params{"id": id})
		if err != nil || p == nil {
			return errors.Join(err, errors.New("read a program that is there"))
		}
		if p.over(now) == programMaker {
			if err := endProgram(tx, p, actor, programMaker, now); err != nil {
				return err
			}
			continue
		}
		account, err := tx.FindRecordById(schema.Staff, id)
		if err != nil {
			return fmt.Errorf("find the account of a program: %w", err)
		}
		account.Set("name", programName(p.Name, p.MakerName))
		account.Set("duties", intersection(schema.Strings(p.Duties), schema.Strings(maker.GetString("duties"))))
		if !differ(account, "name", "duties") {
			continue // to save it would derive all that it sees again
		}
		schema.SetActor(account, actor)
		if err := tx.Save(account); err != nil {
			return fmt.Errorf("save the account of a program: %w", err)
		}
	}
	return nil
}

func intersection(a, b []string) []string {
	return slices.DeleteFunc(append([]string{}, a...), func(x string) bool { return !slices.Contains(b, x) })
}

// endProgram ends a program for good: what it sees goes with the account, and so
// does its session with whatever is connected.
func endProgram(tx core.App, p *Program, actor schema.Actor, why string, now time.Time) error {
	_, err := tx.DB().NewQuery(`UPDATE programs SET ended = {:now}, ended_by = {:by}, ended_why = {:why}, updated = {:now} WHERE id = {:id}`).
		Bind(dbx.Params{"id": p.ID, "now": schema.Stamp(now), "by": string(actor.Kind) + ":" + actor.ID, "why": why}).Execute()
	if err != nil {
		return fmt.Errorf("end program: %w", err)
	}
	account, err := tx.FindRecordById(schema.Staff, p.ID)
	if err != nil {
		return fmt.Errorf("find the account of a program: %w", err)
	}
	account.Set("active", false)
	schema.SetActor(account, actor)
	if err := tx.Save(account); err != nil {
		return fmt.Errorf("end the account of a program: %w", err)
	}
	return nil
}

// end is endProgram with its line on the trail.
func (s *Programs) end(p *Program, actor schema.Actor, why string) error {
	return s.App.RunInTransaction(func(tx core.App) error {
		if err := endProgram(tx, p, actor, why, s.Clock()); err != nil {
			return err
		}
		return s.Audit(tx, Trace{Actor: actor, Action: "update", Collection: schema.Programs, Record: p.ID, Change: map[string]any{"ended": beforeAfter("", why)}, At: s.Clock()})
	})
}

// Tidy ends the programs whose time is over, or whose maker went past the hooks.
// The door asks for itself and needs no sweep.
func (s *Programs) Tidy() error {
	var rows []Program
	err := s.App.DB().NewQuery(selectProgram + `WHERE p.ended = '' AND (p.expires <= {:now} OR m.active = 0 OR m.role NOT IN ('manager', 'owner'))`).
		Bind(dbx.Params{"now": schema.Stamp(s.Clock())}).All(&rows)
	if err != nil {
		return fmt.Errorf("find programs that are over: %w", err)
	}
	for _, p := range rows {
		if err := s.end(&p, schema.System(), p.over(s.Clock())); err != nil {
			return err
		}
	}
	return nil
}
