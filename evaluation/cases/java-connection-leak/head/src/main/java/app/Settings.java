package app;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

public class Settings {
    private final DataSource source;

    Settings(DataSource source) {
        this.source = source;
    }

    String get(String name) throws SQLException {
        Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT value FROM setting WHERE name = '" + name + "'");
        if (!rows.next()) {
            return null;
        }
        String value = rows.getString(1);
        connection.close();
        return value;
    }
}
