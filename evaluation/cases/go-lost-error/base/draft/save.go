package draft

type Draft struct {
	Title string
	Body  []byte
}
