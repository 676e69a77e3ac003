package hooks_test

import (
	"os"
	"testing"

	"gatehouse/hooks/gatetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	gatetest.CleanUp()
	os.Exit(code)
}
