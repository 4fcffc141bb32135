package app;

public class Settings {
    private final DataSource source;

    Settings(DataSource source) {
        this.source = source;
    }
}
