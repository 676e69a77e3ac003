package workflow
import ("testing";"time";"fmt")
func TestZZ(t *testing.T){
 for _, n := range []string{"simple-request.yaml","accounting-onboarding-kyc.yaml","accounting-monthly-close.yaml","agency-creative-approval.yaml"} {
  src,_ := LibraryFile(n)
  def,_ := Parse(src)
  b:=time.Now()
  f := def.Check()
  d:=time.Since(b)
  m := newModel(def)
  ws,ok := m.walks(false)
  for _,w := range ws { fmt.Println(n, d, ok, len(w.groups), len(w.classes), len(w.configs), len(w.edges), w.bits) }
  for _,x := range f { fmt.Println("  ", x.Level, x.Code, x.Line, x.Message) }
 }
}
