package problem

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Reply answers a route's error in PocketBase's shape, with the blockers beside
// it. It returns nil for no error, so that a handler may end with it.
func Reply(e *core.RequestEvent, err error) error {
	if err == nil {
		return nil
	}
	var refusal *Error
	if errors.As(err, &refusal) {
		body := map[string]any{"status": refusal.Status(), "message": refusal.Message, "data": fieldsOf(refusal)}
		if len(refusal.Blockers) > 0 {
			body["blockers"] = refusal.Blockers
		}
		return e.JSON(refusal.Status(), body)
	}
	var known *router.ApiError
	if errors.As(err, &known) {
		return known
	}
	return unexpected(e, err)
}

func fieldsOf(refusal *Error) map[string]any {
	data := map[string]any{}
	for name, b := range refusal.Fields {
		data[name] = map[string]any{"code": b.Code, "message": b.Message}
	}
	for key, value := range refusal.Facts {
		data[key] = value
	}
	return data
}

// unexpected is our own fault: never a 4xx, nothing about the inside.
func unexpected(e *core.RequestEvent, err error) error {
	e.App.Logger().Error("request failed", slog.String("path", e.Request.Pattern), slog.Any("error", err))
	if full(err) {
		return e.JSON(http.StatusInsufficientStorage, body(http.StatusInsufficientStorage, "The server's disk is full. Nothing was changed; your text and files are still with you. Try again later."))
	}
	if busy(err) {
		return e.JSON(http.StatusServiceUnavailable, body(http.StatusServiceUnavailable, "The server is busy. Nothing was changed. Try again in a moment."))
	}
	return e.JSON(http.StatusInternalServerError, body(http.StatusInternalServerError, "Something went wrong on our side, not yours. Nothing was changed. Try again."))
}

func body(status int, message string) map[string]any {
	return map[string]any{"status": status, "message": message, "data": map[string]any{}}
}

func full(err error) bool {
	text := err.Error()
	return strings.Contains(text, "disk is full") || strings.Contains(text, "no space left") || strings.Contains(text, "SQLITE_FULL")
}

func busy(err error) bool {
	text := err.Error()
	return strings.Contains(text, "database is locked") || strings.Contains(text, "SQLITE_BUSY") || strings.Contains(text, "context deadline exceeded")
}

// Hook turns an error into what a record hook may return: PocketBase passes its
// own ApiError on with status, message and field codes, and would make 400 of
// anything else.
func Hook(app core.App, err error) error {
	if err == nil {
		return nil
	}
	var known *router.ApiError
	if errors.As(err, &known) {
		return known
	}
	var refusal *Error
	if errors.As(err, &refusal) {
		fields := validation.Errors{}
		for name, b := range refusal.Fields {
			fields[name] = validation.NewError(string(b.Code), b.Message)
		}
		return router.NewApiError(refusal.Status(), refusal.Message, fields)
	}
	if text := err.Error(); strings.Contains(text, "wall: ") {
		_, reason, _ := strings.Cut(text, "wall: ")
		reason, _, _ = strings.Cut(reason, " (")
		return router.NewApiError(http.StatusBadRequest, "Refused by the database: "+reason+".", nil)
	}
	app.Logger().Error("record hook failed", slog.Any("error", err))
	switch {
	case full(err):
		return router.NewApiError(http.StatusInsufficientStorage, "The server's disk is full. Nothing was changed.", nil)
	case busy(err):
		return router.NewApiError(http.StatusServiceUnavailable, "The server is busy. Nothing was changed. Try again in a moment.", nil)
	}
	return router.NewApiError(http.StatusInternalServerError, "Something went wrong on our side. Nothing was changed.", nil)
}

// OwnFaults keeps what is our fault from looking like the sender's: PocketBase
// answers a full disk or a busy database with 400.
func OwnFaults(e *core.RecordRequestEvent) error {
	err := e.Next()
	var known *router.ApiError
	if !errors.As(err, &known) || known.Status != http.StatusBadRequest {
		return err
	}
	cause, ok := known.RawData().(error)
	if !ok || (!full(cause) && !busy(cause)) {
		return err
	}
	return Hook(e.App, cause)
}
