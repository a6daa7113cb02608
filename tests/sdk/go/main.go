// main.go -- sentry-go as its documentation starts it.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/getsentry/sentry-go"
)

type cardError struct{ card int }

func (e *cardError) Error() string { return fmt.Sprintf("card %d is declined", e.card) }

func pay(prices map[string]int) { prices["total"] = 1 }

func load() error { return fmt.Errorf("cannot load the card: %w", errors.New("no card")) }

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn: os.Getenv("SENTRY_DSN"), Release: os.Getenv("APP_RELEASE"), Environment: "staging"})
	if err != nil {
		log.Fatal(err)
	}
	defer sentry.Flush(3 * time.Second)
	switch os.Args[1] {
	case "unhandled":
		defer sentry.Recover()
		pay(nil)
	case "message":
		sentry.CaptureMessage("hello from here")
	case "chained":
		sentry.CaptureException(load())
	case "scope":
		sentry.ConfigureScope(func(scope *sentry.Scope) {
			scope.SetUser(sentry.User{ID: "42", Email: "ann@example.org"})
			scope.SetTag("plan", "pro")
			scope.SetTag("chat_id", "-100777")
		})
		sentry.AddBreadcrumb(&sentry.Breadcrumb{Category: "ui", Message: "step one", Level: sentry.LevelInfo})
		sentry.CaptureException(&cardError{7})
	case "checkin":
		config := &sentry.MonitorConfig{Schedule: sentry.CrontabSchedule("*/5 * * * *"), Timezone: "Europe/Moscow"}
		id := sentry.CaptureCheckIn(&sentry.CheckIn{MonitorSlug: "go-job", Status: sentry.CheckInStatusInProgress}, config)
		sentry.CaptureCheckIn(&sentry.CheckIn{ID: *id, MonitorSlug: "go-job", Status: sentry.CheckInStatusOK}, config)
	}
}
