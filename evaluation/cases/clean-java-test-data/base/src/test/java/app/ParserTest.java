package app;

class ParserTest {
}
