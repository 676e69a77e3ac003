package demo

import (
	"bytes"
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed demo.yaml
var castSource []byte

// cast is demo.yaml: the firm and everybody who has to do with it. Days are
// business days before the day on which the demo is made.
type cast struct {
	Firm struct {
		Name         string `yaml:"name"`
		ContactEmail string `yaml:"contact_email"`
		Timezone     string `yaml:"timezone"`
		Locale       string `yaml:"locale"`
		Accent       string `yaml:"accent"`
	} `yaml:"firm"`
	Staff   []colleague `yaml:"staff"`
	Clients []client    `yaml:"clients"`
	People  []person    `yaml:"people"`
}

type colleague struct {
	Key    string   `yaml:"key"`
	Name   string   `yaml:"name"`
	Email  string   `yaml:"email"`
	Role   string   `yaml:"role"`
	Duties []string `yaml:"duties"`
}

type client struct {
	Key          string         `yaml:"key"`
	Code         string         `yaml:"code"`
	Name         string         `yaml:"name"`
	Units        []string       `yaml:"units"`
	Since        float64        `yaml:"since"`
	Contact      string         `yaml:"contact"` // key of the person who acts
	Handler      string         `yaml:"handler"` // key of the colleague
	Entity       string         `yaml:"entity"`
	Registration string         `yaml:"registration"`
	Tax          string         `yaml:"tax"`
	YearEnd      string         `yaml:"year_end"`
	Owners       []string       `yaml:"owners"`
	Onboarding   string         `yaml:"onboarding"` // where the identity check stands
	Data         map[string]any `yaml:"data"`
}

type person struct {
	Key         string            `yaml:"key"`
	Name        string            `yaml:"name"`
	Email       string            `yaml:"email"`
	Locale      string            `yaml:"locale"`
	Timezone    string            `yaml:"timezone"`
	Memberships map[string]string `yaml:"memberships"` // client, or client/unit → role
	Delegation  *lending          `yaml:"delegation"`
}

// lending is a delegation: what a member may do, lent to somebody for a time. A
// negative day lies in the future.
type lending struct {
	Of           string `yaml:"of"`
	Organization string `yaml:"organization"`
	From         int    `yaml:"from"`
	Until        int    `yaml:"until"`
	Reason       string `yaml:"reason"`
}

func readCast() (*cast, error) {
	c := &cast{}
	if err := strictly(castSource, c); err != nil {
		return nil, fmt.Errorf("read demo.yaml: %w", err)
	}
	return c, nil
}

func (c *cast) client(key string) *client {
	for i := range c.Clients {
		if c.Clients[i].Key == key {
			return &c.Clients[i]
		}
	}
	return nil
}

// strictly reads YAML and refuses names that nobody reads.
func strictly(source []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	decoder.KnownFields(true)
	return decoder.Decode(into)
}
