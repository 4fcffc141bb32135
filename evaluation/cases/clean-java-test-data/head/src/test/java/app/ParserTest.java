package app;

import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class ParserTest {
    @Test
    void refusesWhatIsNoNumber() {
        assertThrows(NumberFormatException.class, () -> Parser.parse("'; DROP TABLE users; --"));
    }
}
