// Package ops runs the house: it opens the data folder, keeps time, and says
// whether all is well.
//
//	folder.go  the data folder: one server at a time, writable, durable
//	statements.go  prepared statements, kept on each connection
//	serve.go   start, in words; and stop
//	health.go  /healthz and /readyz
//	limits.go  rate limits
//	proxies.go who may say where a request comes from
//	walls.go   the triggers that must be there
//	command.go gatehouse workflow, access, audit, hooks, health, doctor
package ops
