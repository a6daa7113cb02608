// main.rs -- the sentry crate as its documentation starts it.
use sentry::protocol::{
    Breadcrumb, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorSchedule, User,
};
use sentry::types::Uuid;
use sentry::Level;
use std::fmt;

#[derive(Debug)]
struct NoCard;
impl fmt::Display for NoCard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "no card")
    }
}
impl std::error::Error for NoCard {}

#[derive(Debug)]
struct LoadError(NoCard);
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "cannot load the card")
    }
}
impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[inline(never)]
fn pay(prices: &[i32]) -> i32 {
    prices[std::env::args().count() + 5]
}

fn send(check_in: MonitorCheckIn) {
    let envelope: sentry::Envelope = check_in.into();
    sentry::Hub::current().client().unwrap().send_envelope(envelope);
}

fn check_in() {
    let id = Uuid::from_u128(0x5dd0_0000_4000_8000 | (u128::from(std::process::id()) << 64));
    let config = MonitorConfig {
        schedule: MonitorSchedule::from_crontab("*/5 * * * *").unwrap(),
        checkin_margin: Some(5),
        max_runtime: Some(30),
        timezone: Some("Europe/Moscow".into()),
        failure_issue_threshold: None,
        recovery_threshold: None,
    };
    for (status, monitor_config) in
        [(MonitorCheckInStatus::InProgress, Some(config)), (MonitorCheckInStatus::Ok, None)]
    {
        send(MonitorCheckIn {
            check_in_id: id,
            monitor_slug: "rust-job".into(),
            status,
            environment: Some("production".into()),
            duration: None,
            monitor_config,
        });
    }
}

fn main() {
    let release = std::env::var("APP_RELEASE").unwrap();
    let _guard = sentry::init(sentry::ClientOptions::new().release(release).environment("staging"));
    match std::env::args().nth(1).as_deref().unwrap() {
        "unhandled" => drop(pay(&[1, 2, 3])),
        "message" => drop(sentry::capture_message("hello from here", Level::Info)),
        "chained" => drop(sentry::capture_error(&LoadError(NoCard))),
        "scope" => {
            sentry::configure_scope(|scope| {
                scope.set_user(Some(User {
                    id: Some("42".into()),
                    email: Some("ann@example.org".into()),
                    ..Default::default()
                }));
                scope.set_tag("plan", "pro");
                scope.set_tag("chat_id", "-100777");
            });
            sentry::add_breadcrumb(Breadcrumb {
                category: Some("ui".into()),
                message: Some("step one".into()),
                ..Default::default()
            });
            sentry::capture_error(&NoCard);
        }
        "checkin" => check_in(),
        other => panic!("{other} is no step"),
    }
}
