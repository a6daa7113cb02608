// Send.java -- io.sentry:sentry as its documentation starts it.
import io.sentry.Breadcrumb;
import io.sentry.CheckIn;
import io.sentry.CheckInStatus;
import io.sentry.MonitorConfig;
import io.sentry.MonitorSchedule;
import io.sentry.Sentry;
import io.sentry.protocol.Feedback;
import io.sentry.protocol.SentryId;
import io.sentry.protocol.User;

public class Send {
    static class CardException extends RuntimeException {
        CardException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static int pay(String card) {
        return card.length();
    }

    static void load() {
        try {
            Integer.parseInt("no card");
        } catch (NumberFormatException e) {
            throw new CardException("cannot load the card", e);
        }
    }

    static void scope() {
        User user = new User();
        user.setId("42");
        user.setEmail("ann@example.org");
        Sentry.setUser(user);
        Sentry.setTag("plan", "pro");
        Sentry.setTag("chat_id", "-100777");
        Breadcrumb crumb = new Breadcrumb();
        crumb.setCategory("ui");
        crumb.setMessage("step one");
        Sentry.addBreadcrumb(crumb);
        try {
            pay(null);
        } catch (RuntimeException e) {
            Sentry.captureException(e);
        }
    }

    static void checkIn() {
        MonitorConfig config = new MonitorConfig(MonitorSchedule.crontab("*/5 * * * *"));
        config.setTimezone("Europe/Moscow");
        CheckIn begun = new CheckIn("java-job", CheckInStatus.IN_PROGRESS);
        begun.setMonitorConfig(config);
        SentryId id = Sentry.captureCheckIn(begun);
        Sentry.captureCheckIn(new CheckIn(id, "java-job", CheckInStatus.OK));
    }

    public static void main(String[] args) {
        Sentry.init(options -> {
            options.setDsn(System.getenv("SENTRY_DSN"));
            options.setRelease(System.getenv("APP_RELEASE"));
            options.setEnvironment("staging");
        });
        switch (args[0]) {
            case "unhandled" -> pay(null);
            case "message" -> Sentry.captureMessage("hello from here");
            case "chained" -> {
                try {
                    load();
                } catch (CardException e) {
                    Sentry.captureException(e);
                }
            }
            case "scope" -> scope();
            case "feedback" -> {
                Feedback words = new Feedback("it broke");
                words.setName("Ann");
                words.setContactEmail("ann@example.org");
                words.setAssociatedEventId(Sentry.captureMessage("something is odd"));
                Sentry.feedback().capture(words);
            }
            case "checkin" -> checkIn();
            default -> throw new IllegalArgumentException(args[0]);
        }
        Sentry.flush(3000);
        Sentry.close();
    }
}
