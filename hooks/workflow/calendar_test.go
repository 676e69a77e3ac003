package workflow

import (
	"testing"
	"time"
)

func at(t *testing.T, s string, zone *time.Location) time.Time {
	t.Helper()
	x, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestCalendar_workdays(t *testing.T) {
	for _, c := range []struct {
		name, zone, holidays, day string
		want                      bool
	}{
		{"a Wednesday", "Europe/London", "gb-eng", "2026-11-18 12:00", true},
		{"a Saturday", "Europe/London", "gb-eng", "2026-11-21 12:00", false},
		{"Christmas in England", "Europe/London", "gb-eng", "2026-12-25 12:00", false},
		{"Boxing Day on a Saturday is taken on Monday", "Europe/London", "gb-eng", "2026-12-28 12:00", false},
		{"the bank holiday in August", "Europe/London", "gb-eng", "2026-08-31 12:00", false},
		{"Good Friday", "Europe/London", "gb-eng", "2027-03-26 12:00", false},
		{"St Patrick's Day in Ireland", "Europe/Dublin", "ie", "2026-03-17 12:00", false},
		{"and in England it is none", "Europe/London", "gb-eng", "2026-03-17 12:00", true},
		{"Thanksgiving in America", "America/New_York", "us-federal", "2026-11-26 12:00", false},
		{"and in England it is none either", "Europe/London", "gb-eng", "2026-11-26 12:00", true},
		{"two countries together", "Europe/London", "gb-eng, ie", "2026-03-17 12:00", false},
		{"a list that is not known has none", "Europe/London", "atlantis", "2026-12-25 12:00", true},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		calendar := NewCalendar(CalendarSpec{Timezone: c.zone, Holidays: c.holidays}, FirmCalendar{})
		if got := calendar.IsWorkday(at(t, c.day, zone)); got != c.want {
			t.Errorf("%s: a working day %t", c.name, got)
		}
	}
	// A day begins at midnight of the calendar's zone, not of UTC.
	tokyo := NewCalendar(CalendarSpec{Timezone: "Asia/Tokyo"}, FirmCalendar{})
	if tokyo.IsWorkday(time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)) {
		t.Error("Friday evening in London is Saturday in Tokyo")
	}
}

func TestCalendar_adding(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	c := NewCalendar(CalendarSpec{Timezone: "Europe/London", Hours: "mon-fri 09:00-17:30", Holidays: "gb-eng"}, FirmCalendar{})
	for _, x := range []struct {
		name, from string
		days       int
		hours      int
		want       string
	}{
		{"no day", "2026-11-18 10:00", 0, 0, "2026-11-18 10:00"},
		{"two days in a week", "2026-11-18 10:00", 2, 0, "2026-11-20 10:00"},
		{"over a weekend", "2026-11-20 10:00", 1, 0, "2026-11-23 10:00"},
		{"from a Sunday", "2026-11-22 10:00", 1, 0, "2026-11-23 10:00"},
		{"over Christmas", "2026-12-24 10:00", 1, 0, "2026-12-29 10:00"},
		{"over Easter", "2027-03-25 10:00", 1, 0, "2027-03-30 10:00"},
		{"over the end of summer time the hour stays", "2026-10-23 10:00", 1, 0, "2026-10-26 10:00"},
		{"over its beginning too", "2026-03-27 10:00", 1, 0, "2026-03-30 10:00"},

		{"two hours in a day", "2026-11-18 10:00", 0, 2, "2026-11-18 12:00"},
		{"before the doors open", "2026-11-18 07:00", 0, 2, "2026-11-18 11:00"},
		{"after they close", "2026-11-18 18:00", 0, 2, "2026-11-19 11:00"},
		{"over a night", "2026-11-18 17:00", 0, 2, "2026-11-19 10:30"},
		{"over a weekend, by hours", "2026-11-20 17:00", 0, 1, "2026-11-23 09:30"},
		{"to the minute of closing", "2026-11-18 16:30", 0, 1, "2026-11-18 17:30"},
		{"more than a day", "2026-11-18 09:00", 0, 10, "2026-11-19 10:30"},
		{"over Christmas, by hours", "2026-12-24 17:00", 0, 1, "2026-12-29 09:30"},
		{"over the end of summer time, by hours", "2026-10-23 17:00", 0, 1, "2026-10-26 09:30"},
	} {
		from := at(t, x.from, london)
		got := c.AddBusinessDays(from, x.days)
		if x.hours > 0 {
			got = c.AddBusinessHours(from, x.hours)
		}
		if !got.Equal(at(t, x.want, london)) {
			t.Errorf("%s: %s", x.name, got.In(london).Format("2006-01-02 15:04"))
		}
	}
	if got := c.EndOfBusinessDay(at(t, "2026-07-01 08:00", london)); got.UTC().Format("15:04") != "16:30" {
		t.Errorf("closing time in summer is %s UTC", got.UTC().Format("15:04"))
	}
	if got := c.EndOfBusinessDay(at(t, "2026-12-01 08:00", london)); got.UTC().Format("15:04") != "17:30" {
		t.Errorf("closing time in winter is %s UTC", got.UTC().Format("15:04"))
	}
}

func TestCalendar_firm(t *testing.T) {
	firm := FirmCalendar{Timezone: "America/New_York"}
	if zone := NewCalendar(CalendarSpec{Timezone: "firm"}, firm).Zone().String(); zone != "America/New_York" {
		t.Errorf("the firm's zone is %s", zone)
	}
	if zone := NewCalendar(CalendarSpec{Timezone: "firm"}, FirmCalendar{}).Zone(); zone != time.UTC {
		t.Errorf("without a firm it is %s", zone)
	}
	if zone := NewCalendar(CalendarSpec{Timezone: "Mars/Phobos"}, FirmCalendar{}).Zone(); zone != time.UTC {
		t.Errorf("a zone that is not known is %s", zone)
	}
}
