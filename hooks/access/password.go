package access

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"gatehouse/hooks/problem"
)

// The collections users and staff keep the same bounds; 72 bytes is the most
// that bcrypt hashes.
const (
	shortestPassword = 10
	longestPassword  = 71
	bcryptBytes      = 72
)

//go:embed common_passwords.txt
var commonPasswords string

var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonPasswords) {
		set[strings.TrimSpace(line)] = true
	}
	return set
})

// CheckPassword refuses a password that is too short, too long, among the most
// common ones, or the address itself. It asks for length, not for composition: a
// long sentence is better than a short riddle (NIST SP 800-63B, 5.1.1.2).
func CheckPassword(password, email string) error {
	runes := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	switch {
	case runes < shortestPassword:
		return problem.Field("password", problem.FieldInvalid, fmt.Sprintf("Use at least %d characters. A short sentence works well.", shortestPassword))
	case runes > longestPassword || len(password) > bcryptBytes:
		return problem.Field("password", problem.FieldInvalid, fmt.Sprintf("Use at most %d characters.", longestPassword))
	case common()[lower] || lower == strings.ToLower(email) || strings.Count(lower, lower[:1]) == len(lower):
		return problem.Field("password", problem.FieldInvalid, "This password is easy to guess. Choose another one; a short sentence works well.")
	}
	return nil
}
