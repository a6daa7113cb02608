#!/usr/bin/env bash
# demo.sh -- a believable stream of sample errors for ./run --demo: URL KEY.
set -u
url=$1
key=$2

post() { curl -fsS -o /dev/null -H "Authorization: Bearer $key" -d "$1" "$url/api/events" 2>/dev/null; }

pick() { shift $((RANDOM % $#)); printf '%s' "$1"; }

for n in $(seq 1 100000); do
    user=$((100000 + RANDOM % 40))
    case $((RANDOM % 8)) in
    0) post "{\"origin\":\"telegram_webhook\",\"severity\":\"critical\",\"handler\":\"handlers.start\",
        \"environment\":\"production\",\"release\":\"bot@1.4.2\",\"chat_id\":$user,\"user_id\":$user,
        \"exception\":{\"type\":\"TelegramBadRequest\",\"value\":\"message text is empty\",\"stacktrace\":\"Traceback (most recent call last):\n  File \\\"/app/bot/handlers/start.py\\\", line 41, in start\n    await message.answer(render(profile))\n  File \\\"/app/bot/render.py\\\", line 17, in render\n    return send(text)\nTelegramBadRequest: message text is empty\"}}" ;;
    1 | 2) post "{\"origin\":\"celery\",\"severity\":\"error\",\"handler\":\"tasks.generate\",\"release\":\"bot@1.4.2\",
        \"gen_request_id\":\"gen-$n\",\"user_id\":$user,\"message\":\"Generation gen-$n timed out after $((20 + RANDOM % 40)) s\"}" ;;
    3) post "{\"origin\":\"generation\",\"severity\":\"critical\",\"handler\":\"providers.flux\",\"user_id\":$user,
        \"message\":\"Provider answered 502 for request $((RANDOM * 7))\"}" ;;
    4 | 5) post "{\"origin\":\"miniapp\",\"severity\":\"warning\",\"user_id\":$user,\"message\":\"Slow request: /api/$(pick balance history profile) took $((900 + RANDOM % 4000)) ms\"}" ;;
    *) post "{\"origin\":\"aiogram_handler\",\"severity\":\"$(pick info warning error)\",\"handler\":\"handlers.$(pick pay menu photo)\",
        \"user_id\":$user,\"message\":\"$(pick 'Unexpected update' 'Rate limited by Telegram' 'Photo could not be decoded') (update $((RANDOM * 31)))\"}" ;;
    esac
    sleep $((1 + RANDOM % 3))
done
