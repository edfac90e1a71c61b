// What a Java application asks and gets, as text: the same on PostgreSQL and here.

import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import java.util.concurrent.Callable;

public class JdbcClient {
  static final Set<String> LEFT_OUT =
      Set.of("CARDINALITY", "PAGES", "PROCEDURE_CAT", "FUNCTION_CAT", "GRANTOR", "IS_GRANTABLE");
  static final Set<String> TYPES =
      Set.of("bool", "int8", "bigserial", "oid", "bytea", "bpchar", "numeric", "int4", "serial", "int2",
          "smallserial", "float4", "float8", "text", "varchar", "date", "time", "timetz", "timestamp",
          "timestamptz", "interval", "json", "jsonb", "uuid", "mood", "_int4", "_text");

  static void show(String title, Callable<ResultSet> ask) {
    System.out.println("## " + title);
    try (ResultSet rows = ask.call()) {
      ResultSetMetaData meta = rows.getMetaData();
      List<String> lines = new ArrayList<>();
      StringBuilder head = new StringBuilder();
      for (int i = 1; i <= meta.getColumnCount(); i++)
        head.append(meta.getColumnName(i)).append(':').append(meta.getColumnTypeName(i)).append('|');
      System.out.println(head);
      while (rows.next()) {
        StringBuilder line = new StringBuilder();
        for (int i = 1; i <= meta.getColumnCount(); i++)
          if (!LEFT_OUT.contains(meta.getColumnName(i).toUpperCase()))
            line.append(String.valueOf(rows.getString(i)).replace("\n", "\\n")).append('|');
        lines.add(line.toString());
      }
      if (title.startsWith("types"))
        lines.removeIf(line -> !TYPES.contains(line.substring(0, line.indexOf('|'))));
      lines.removeIf(line -> line.startsWith("sys|"));
      Collections.sort(lines);
      lines.forEach(System.out::println);
    } catch (Exception error) {
      System.out.println("failed: " + error.getMessage());
    }
  }

  static void refused(String title, Callable<?> call) throws Exception {
    try {
      call.call();
      System.out.println(title + ": done");
    } catch (SQLException error) {
      System.out.println(title + ": " + error.getSQLState());
    }
  }

  static void describe(DatabaseMetaData data) throws Exception {
    System.out.println(data.getDatabaseProductName() + " " + data.getMaxColumnNameLength());
    System.out.println(data.getDefaultTransactionIsolation() + " " + data.getMaxConnections() / 1000000);
    show("schemas", () -> data.getSchemas());
    show("table types", () -> data.getTableTypes());
    show("tables", () -> data.getTables(null, "%", "%", new String[] {"TABLE", "VIEW", "SEQUENCE"}));
    show("public", () -> data.getTables(null, "public", "%", null));
    show("columns", () -> data.getColumns(null, "public", "%", "%"));
    show("odd columns", () -> data.getColumns(null, "Odd One", "%", "%"));
    show("keys", () -> data.getPrimaryKeys(null, "public", "child"));
    show("imported", () -> data.getImportedKeys(null, "public", "child"));
    show("exported", () -> data.getExportedKeys(null, "public", "parent"));
    show("references", () -> data.getCrossReference(null, "public", "parent", null, "public", "child"));
    show("indexes", () -> data.getIndexInfo(null, "public", "child", false, true));
    show("unique", () -> data.getIndexInfo(null, "public", "parent", true, true));
    show("best", () -> data.getBestRowIdentifier(null, "public", "child", 1, true));
    show("version", () -> data.getVersionColumns(null, "public", "child"));
    show("procedures", () -> data.getProcedures(null, "public", "%"));
    show("functions", () -> data.getFunctions(null, "public", "%"));
    show("function columns", () -> data.getFunctionColumns(null, "public", "%", "%"));
    show("user types", () -> data.getUDTs(null, "public", "%", null));
    show("types", () -> data.getTypeInfo());
  }

  static void types(Connection connection) throws Exception {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "create table wide (id int primary key, small smallint, large bigint, price numeric(20,4), r real,"
              + " d double precision, t text, v varchar(20), c char(4), b boolean, raw bytea, token uuid,"
              + " day date, at time, ats timetz, local timestamp, made timestamptz, took interval, j json,"
              + " jb jsonb, counts int[], tags text[], m mood)");
    }
    String insert =
        "insert into wide values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::timetz, ?, ?, ?::interval,"
            + " ?::json, ?::jsonb, ?, ?, ?::mood)";
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      for (int id = 1; id <= 8; id++) {
        statement.setInt(1, id);
        if (id % 4 == 0) {
          for (int i = 2; i <= 23; i++) statement.setNull(i, Types.NULL);
        } else {
          statement.setShort(2, (short) (id - 4));
          statement.setLong(3, Long.MAX_VALUE - id);
          statement.setBigDecimal(4, new BigDecimal("-1234567890123.4567").add(BigDecimal.valueOf(id)));
          statement.setFloat(5, 1.1f * id);
          statement.setDouble(6, id == 1 ? Double.NaN : id == 2 ? Double.NEGATIVE_INFINITY : 0.1 + id);
          statement.setString(7, "ünï\n\\" + id);
          statement.setString(8, "");
          statement.setString(9, "a");
          statement.setBoolean(10, id % 2 == 0);
          statement.setBytes(11, new byte[] {0, (byte) 255, (byte) id});
          statement.setObject(12, new UUID(id, 7));
          statement.setObject(13, java.time.LocalDate.of(1900 + id, 2, 28));
          statement.setObject(14, java.time.LocalTime.of(23, 59, 59, 999999000));
          statement.setString(15, "12:00:00+05:30");
          statement.setObject(16, java.time.LocalDateTime.of(2024, 2, 29, 1, 2, 3, 4000));
          statement.setObject(17, java.time.OffsetDateTime.parse("2024-02-29T01:02:03.000004+02:00"));
          statement.setString(18, "1 year 2 mons -3 days 04:05:06.7");
          statement.setString(19, "{\"a\": [1, null]}");
          statement.setString(20, "{\"b\":1,\"a\":[1,null]}");
          statement.setArray(21, connection.createArrayOf("int4", new Integer[] {1, null, id}));
          statement.setArray(22, connection.createArrayOf("text", new String[] {"a,b", null, "\"", ""}));
          statement.setString(23, id % 2 == 0 ? "happy" : "sad");
        }
        if (id < 4) System.out.println("insert " + statement.executeUpdate());
        else statement.addBatch();
      }
      System.out.println("batch " + Arrays.toString(statement.executeBatch()));
    }
    // Five times each: the driver changes to binary results as it goes.
    try (PreparedStatement statement = connection.prepareStatement("select * from wide where id = ?")) {
      for (int round = 0; round < 7; round++) {
        statement.setInt(1, round % 3 + 1);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) System.out.println(line(rows));
        }
      }
    }
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(3);
      try (ResultSet rows = statement.executeQuery("select id, t, m from wide order by id")) {
        while (rows.next()) System.out.println(rows.getInt(1) + rows.getString(2) + rows.getString(3));
      }
    }
    connection.commit();
    connection.setAutoCommit(true);
  }

  static String line(ResultSet rows) throws Exception {
    StringBuilder line = new StringBuilder();
    for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
      Object value = rows.getObject(i);
      if (value instanceof byte[]) value = Arrays.toString((byte[]) value);
      if (value instanceof java.sql.Array) value = Arrays.toString((Object[]) ((java.sql.Array) value).getArray());
      line.append(value).append('|');
    }
    return line.toString();
  }

  static void transactions(Connection connection) throws Exception {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("insert into parent (code) values ('k')", Statement.RETURN_GENERATED_KEYS);
      try (ResultSet keys = statement.getGeneratedKeys()) {
        keys.next();
        System.out.println("key " + keys.getInt("id") + " " + keys.getString("name"));
      }
      refused("duplicate", () -> statement.executeUpdate("insert into parent (code) values ('k')"));
      refused("orphan", () -> statement.executeUpdate("insert into child (parent_id, flag) values (99, true)"));
      refused("check", () -> statement.executeUpdate("insert into child (parent_id, amount) values (1, -1)"));
      refused("no table", () -> statement.executeQuery("select * from nosuch"));
      refused("syntax", () -> statement.execute("selec 1"));
      refused("division", () -> statement.executeQuery("select 1 / 0"));
      refused("text as number", () -> statement.executeQuery("select 'x'::int"));
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      System.out.println("isolation " + connection.getTransactionIsolation());
      statement.executeUpdate("insert into parent (code) values ('kept')");
      Savepoint point = connection.setSavepoint("here");
      refused("in a transaction", () -> statement.executeQuery("select 1 / 0"));
      refused("aborted", () -> statement.executeQuery("select 1"));
      connection.rollback(point);
      statement.executeUpdate("insert into parent (code) values ('too')");
      connection.commit();
      statement.executeUpdate("delete from parent");
      connection.rollback();
      connection.setAutoCommit(true);
      show("rows", () -> connection.createStatement().executeQuery("select code from parent"));
      System.out.println(connection.isValid(5) + " " + connection.getSchema());
      connection.setSchema("Odd One");
      System.out.println(connection.getSchema());
      connection.setReadOnly(true);
      refused("read only", () -> statement.executeUpdate("insert into \"Order\" values (1, 'x')"));
      connection.setReadOnly(false);
      refused("writable", () -> statement.executeUpdate("insert into \"Order\" values (1, 'x')"));
      connection.setSchema("public");
      statement.setQueryTimeout(1);
      refused("too long", () -> statement.executeQuery("select pg_sleep(30)"));
    }
    var copies = connection.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
    System.out.println("in " + copies.copyIn("copy parent (code, name) from stdin (format csv)",
        new java.io.StringReader("c1,\"a,b\"\nc2,\n")));
    java.io.StringWriter out = new java.io.StringWriter();
    System.out.println("out " + copies.copyOut("copy (select code, name from parent order by code) to stdout", out));
    System.out.print(out);
    System.out.println("types " + Arrays.toString(connection.getTypeMap().keySet().toArray()));
  }

  public static void main(String[] arguments) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    try (Connection connection = DriverManager.getConnection(arguments[0])) {
      describe(connection.getMetaData());
      types(connection);
      transactions(connection);
    }
  }
}
