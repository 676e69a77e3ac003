// Package notify turns committed events into messages: who is told what, by
// which way, when, and why; and, as important, who is not told, and why not.
//
// Deciding is pure (Plan); the Post writes the plan down in the event's own
// transaction, mail included; the Mailer puts mails on the wire, again and again
// until the mail server has taken or refused them.
//
//	script.go      what is read of a workflow's definition
//	people.go      recipients by name: roles, duties, owner, submitter
//	reminder.go    reminders: from what is due to notices, one mail a day
//	plan.go        Plan: from an event and the facts to the list of notices
//	words.go       placeholders, dates, dedupe keys, the reason line
//	facts.go       the facts of an event, from the database
//	letter.go      what a notice says to whom
//	render.go      letters into subject, text and HTML (templates/)
//	post.go        the event consumer: notices and mails in one transaction
//	invitation.go  invitations: their mails, and news of them for staff
//	digest.go      notices that wait for the hour or the day, in one mail
//	mail.go        the worker that sends, retries and gives up
//	smtp.go        what an answer of a mail server means
//	signin.go      PocketBase's own mails: codes, password and address changes
//	routes.go      the kept mails, for managers
package notify

import (
	"encoding/json"
	"fmt"
	"slices"
)

// names is a list of names that a definition may write as a single one.
type names []string

// UnmarshalJSON reads a text or a list of texts.
func (n *names) UnmarshalJSON(b []byte) error {
	var single string
	if json.Unmarshal(b, &single) == nil {
		*n = names{single}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(n))
}

// Script is what this room reads of a workflow's definition. It is read from
// the stored JSON, which never changes once it is published.
type Script struct {
	Title string `json:"title"`
	Roles struct {
		Client names `json:"client"`
		Staff  names `json:"staff"`
	} `json:"roles"`
	States        []State    `json:"states"`
	Notifications []Rule     `json:"notifications"`
	Reminders     []Reminder `json:"reminders"`
}

// State is a state of the workflow, as far as telling people goes.
type State struct {
	Key        string `json:"key"`
	Turn       string `json:"turn"`
	Owner      string `json:"owner"`
	Category   string `json:"category"`
	Outcome    string `json:"outcome"`
	TippingOff bool   `json:"tipping_off_safe"`
}

// Rule is one line of a workflow's notifications.
type Rule struct {
	Event   string `json:"event"`
	To      names  `json:"to"`
	Channel names  `json:"channel"`
	Timing  string `json:"timing"` // now digest_hourly digest_daily
	Dedupe  string `json:"dedupe"`
	Why     string `json:"why"`
}

// ReadScript reads a stored definition.
func ReadScript(definition string) (Script, error) {
	var s Script
	if err := json.Unmarshal([]byte(definition), &s); err != nil {
		return Script{}, fmt.Errorf("read notifications of the definition: %w", err)
	}
	return s, nil
}

// state finds a state by its key; the zero State if there is none.
func (s Script) state(key string) State {
	i := slices.IndexFunc(s.States, func(st State) bool { return st.Key == key })
	if key == "" || i < 0 {
		return State{}
	}
	return s.States[i]
}
