class Sample {
    // ruleid: java-shared-date-format
    private static final SimpleDateFormat DAY = new SimpleDateFormat("yyyy-MM-dd");
    // ruleid: java-shared-date-format
    public static final DateFormat TIME = new SimpleDateFormat("HH:mm", Locale.ROOT);
    // ok: java-shared-date-format
    private static final DateTimeFormatter SAFE = DateTimeFormatter.ISO_DATE;
    // ok: java-shared-date-format
    private static final ThreadLocal<DateFormat> LOCAL = ThreadLocal.withInitial(() -> new SimpleDateFormat("yyyy"));

    String format(Date date) {
        // ok: java-shared-date-format
        return new SimpleDateFormat("yyyy").format(date);
    }
}
