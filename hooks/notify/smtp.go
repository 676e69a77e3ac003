package notify

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"time"
)

// Backoff is how long a mail waits after each failed try; after the last one it
// has failed.
var Backoff = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}

// verdict is what a failed try means.
type verdict struct {
	final bool   // trying again is useless
	error string // for people
}

// Answers about ourselves, not about the receiver: the sign-in at the mail
// server or its encryption. Somebody will put the settings right, so the mail
// waits (RFC 4954, section 6).
var ownFault = map[int]bool{530: true, 534: true, 535: true, 538: true}

// judge reads the error of a try.
//
// One case stays in doubt: the connection breaks after the text was handed over
// and before the answer. The mail server may have taken the mail. It is tried
// again under the same Message-ID, by which the receiver's side can tell that
// it is the same mail; the other choice would be to lose it.
func judge(err error) verdict {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		text := fmt.Sprintf("The mail server answered %d %s", answer.Code, answer.Msg)
		switch {
		case ownFault[answer.Code]:
			return verdict{error: text + " (to our sign-in)"}
		case answer.Code >= 500:
			return verdict{final: true, error: text}
		}
		return verdict{error: text}
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return verdict{error: "The mail server cannot be reached: " + err.Error()}
	}
	return verdict{error: "The connection to the mail server broke before its answer: " + err.Error() + ". The mail may have arrived; it is tried again as the same mail."}
}
