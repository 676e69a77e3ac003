package access

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"gatehouse/hooks/schema"
)

// The rows of the collection settings that this room keeps.
const (
	settingSecret = "secret" // 32 random bytes as hex; signs invitation links
	settingSetup  = "setup"  // setupToken; there only while the portal is empty
	settingFirm   = "firm"   // Firm
)

const (
	readSetting = `SELECT [[value]] FROM settings WHERE [[key]] = {:key}`

	putSetting = `INSERT INTO settings (id, [[key]], value, version, changed_by, created, updated)
VALUES ({:id}, {:key}, {:value}, 1, {:by}, {:now}, {:now})
ON CONFLICT([[key]]) DO UPDATE SET value = excluded.value, version = version + 1, changed_by = excluded.changed_by, updated = excluded.updated`

	addSetting = `INSERT INTO settings (id, [[key]], value, version, changed_by, created, updated)
VALUES ({:id}, {:key}, {:value}, 1, '', {:now}, {:now}) ON CONFLICT([[key]]) DO NOTHING`
)

// setting reads the settings row key into value; false if there is none.
func setting(app core.App, key string, value any) (bool, error) {
	var stored string
	err := app.DB().NewQuery(readSetting).Bind(dbx.Params{"key": key}).Row(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read setting %s: %w", key, err)
	}
	if err := json.Unmarshal([]byte(stored), value); err != nil {
		return false, fmt.Errorf("read setting %s: %w", key, err)
	}
	return true, nil
}

// putSettingRow writes the settings row key, new or changed.
func putSettingRow(tx core.App, key string, value any, by string, now time.Time) error {
	_, err := tx.DB().NewQuery(putSetting).Bind(dbx.Params{
		"id": schema.NewID(), "key": key, "value": schema.JSON(value), "by": by, "now": schema.Stamp(now),
	}).Execute()
	if err != nil {
		return fmt.Errorf("write setting %s: %w", key, err)
	}
	return nil
}

// Secret is the server's own secret: 32 random bytes, made on first use and kept
// in the settings row "secret". Inside a transaction pass its app: the first use
// writes. Two first uses at once agree on one secret, since the row is unique.
func Secret(app core.App) ([]byte, error) {
	var stored string
	found, err := setting(app, settingSecret, &stored)
	if err != nil {
		return nil, err
	}
	if !found {
		_, err := app.DB().NewQuery(addSetting).Bind(dbx.Params{
			"id": schema.NewID(), "key": settingSecret, "value": schema.JSON(hex.EncodeToString(randomBytes())), "now": schema.Stamp(time.Now()),
		}).Execute()
		if err != nil {
			return nil, fmt.Errorf("make the server's secret: %w", err)
		}
		if _, err := setting(app, settingSecret, &stored); err != nil {
			return nil, err
		}
	}
	secret, err := hex.DecodeString(stored)
	if err != nil || len(secret) < sha256.Size {
		return nil, fmt.Errorf("read the server's secret: %d bytes of hex expected in settings row %q", sha256.Size, settingSecret)
	}
	return secret, nil
}

// randomBytes are 32 bytes nobody can guess.
func randomBytes() []byte {
	b := make([]byte, sha256.Size)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return b
}

// digest is what is stored of a token: its SHA-256 as hex.
func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
