package ops

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"modernc.org/sqlite"
)

// driverName is PocketBase's SQLite driver with prepared statements kept on
// each connection. Parsing a statement, with the triggers that it fires, costs
// a quarter of a transition; the texts are always the same few.
const driverName = "gatehouse_sqlite"

// keptStatements is how many statements a connection keeps; the one that was
// not used for longest goes first.
const keptStatements = 128

func init() { sql.Register(driverName, keeping{&sqlite.Driver{}}) }

type keeping struct{ driver.Driver }

// Open opens a connection that keeps its statements.
func (k keeping) Open(name string) (driver.Conn, error) {
	c, err := k.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	return &keeper{Conn: c, byText: map[string]*list.Element{}, order: list.New()}, nil
}

// keeper is one connection. database/sql never uses a connection from two
// goroutines at once, so nothing here is locked.
type keeper struct {
	driver.Conn
	byText map[string]*list.Element
	order  *list.List // of *kept, the last used in front
}

type kept struct {
	text string
	stmt driver.Stmt
	busy bool // its rows are being read
}

// keepable are single statements that come again: no scripts, no schema.
func keepable(query string) bool {
	if len(query) > 8<<10 || strings.Contains(query, ";") {
		return false
	}
	for _, verb := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"} {
		if strings.HasPrefix(strings.TrimLeft(query, " \t\n"), verb) {
			return true
		}
	}
	return false
}

// statement gives the kept statement of a query, or nil if it has to be run as
// it is: not worth keeping, or in use further up on the same connection.
func (k *keeper) statement(ctx context.Context, query string) (*kept, error) {
	if e, ok := k.byText[query]; ok {
		s := e.Value.(*kept)
		if s.busy {
			return nil, nil
		}
		k.order.MoveToFront(e)
		return s, nil
	}
	if !keepable(query) {
		return nil, nil
	}
	stmt, err := k.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &kept{text: query, stmt: stmt}
	k.byText[query] = k.order.PushFront(s)
	k.forget()
	return s, nil
}

func (k *keeper) forget() {
	for e := k.order.Back(); e != nil && k.order.Len() > keptStatements; {
		previous := e.Prev()
		if s := e.Value.(*kept); !s.busy {
			k.order.Remove(e)
			delete(k.byText, s.text)
			_ = s.stmt.Close() // its result was handed out long ago
		}
		e = previous
	}
}

// ExecContext runs a statement that gives no rows.
func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := k.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	}
	return s.stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

// QueryContext runs a statement that gives rows.
func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	}
	rows, err := s.stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &freeing{rows, s}, nil
}

// freeing gives the statement free when its rows are closed.
type freeing struct {
	driver.Rows
	s *kept
}

// Close ends the reading.
func (f *freeing) Close() error {
	f.s.busy = false
	return f.Rows.Close()
}

// ColumnTypeDatabaseTypeName passes on what the driver knows; dbx asks for it.
func (f *freeing) ColumnTypeDatabaseTypeName(index int) string {
	if typed, ok := f.Rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return typed.ColumnTypeDatabaseTypeName(index)
	}
	return ""
}

// PrepareContext prepares without keeping.
func (k *keeper) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return k.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

// BeginTx begins a transaction.
func (k *keeper) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return k.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// Ping asks whether the connection lives.
func (k *keeper) Ping(ctx context.Context) error { return k.Conn.(driver.Pinger).Ping(ctx) }

// ResetSession prepares the connection for its next user.
func (k *keeper) ResetSession(ctx context.Context) error {
	return k.Conn.(driver.SessionResetter).ResetSession(ctx)
}

// IsValid says whether the connection may be used again.
func (k *keeper) IsValid() bool { return k.Conn.(driver.Validator).IsValid() }

// Close finalizes the kept statements and closes the connection.
func (k *keeper) Close() error {
	for e := k.order.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*kept).stmt.Close() // the connection goes with it
	}
	return k.Conn.Close()
}
