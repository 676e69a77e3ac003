package simulate

import "errors"

// shrink looks for a shorter list of acts that breaks the same rule: it leaves
// out ever smaller parts, as long as what is left still shows the fault, and
// plays no more than so many lists.
func (s *Ground) shrink(acts []Act, rule string, left int) []Act {
	if left < 1 {
		return acts
	}
	breaks := func(list []Act) int {
		left--
		n, v := s.tryAgain(list)
		if v == nil || v.Rule != rule {
			return 0
		}
		return n
	}
	n := breaks(acts)
	if n == 0 {
		return acts // it takes more than the acts to show it
	}
	acts = acts[:n]
	for part := max(1, len(acts)/2); left > 0; part = max(1, part/2) {
		shorter := false
		for at := 0; at < len(acts) && left > 0; {
			rest := append(clone(acts[:at]), acts[min(len(acts), at+part):]...)
			if n := breaks(rest); n > 0 {
				acts, shorter = rest[:n], true
				continue
			}
			at += part
		}
		if part == 1 && !shorter {
			break
		}
	}
	return acts
}

// tryAgain plays a list in a world of its own and says after how many acts which
// promise broke.
func (s *Ground) tryAgain(acts []Act) (int, *Violation) {
	w, err := s.grow()
	if err != nil {
		return 0, nil
	}
	defer w.close()
	r, err := s.begin(w, 0, &given{})
	if err != nil {
		return 0, nil
	}
	var v *Violation
	if err := r.replay(acts); errors.As(err, &v) {
		return len(r.acts), v
	}
	if err := w.verify(); errors.As(err, &v) {
		return len(r.acts), v
	}
	return len(r.acts), nil
}

// Again plays a list of acts and says what they break; nil if nothing.
func (s *Ground) Again(acts []Act) *Violation {
	_, v := s.tryAgain(acts)
	return v
}
