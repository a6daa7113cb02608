# send.rb -- sentry-ruby as its documentation starts it.
require "sentry-ruby"

Sentry.init do |config|
  config.dsn = ENV.fetch("SENTRY_DSN")
  config.release = ENV.fetch("APP_RELEASE")
  config.environment = "staging"
end

class CardError < StandardError; end

def pay(amount)
  amount / 0
end

def load_card
  {}.fetch(:card)
rescue KeyError
  raise CardError, "cannot load the card"
end

def caught
  yield
rescue StandardError => e
  Sentry.capture_exception(e)
end

case ARGV[0]
when "unhandled" then at_exit { Sentry.capture_exception($!, level: :fatal) if $! } && pay(5)
when "message" then Sentry.capture_message("hello from here", level: :info)
when "chained" then caught { load_card }
when "scope"
  Sentry.set_user(id: 42, email: "ann@example.org")
  Sentry.set_tags(plan: "pro", chat_id: -100_777)
  Sentry.add_breadcrumb(Sentry::Breadcrumb.new(category: "ui", message: "step one"))
  caught { pay(7) }
end
