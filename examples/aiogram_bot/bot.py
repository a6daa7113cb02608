"""bot.py -- an aiogram 3 bot whose /pay raises: nabat.aiogram.setup(dispatcher) is all it takes.

With BOT_TOKEN it polls Telegram; send it /pay. Without one it hands itself an update, as Ann would send it.
"""
import asyncio
import datetime
import os

import nabat
import nabat.aiogram
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Chat, Message, Update, User

router = Router()


@router.message(Command("start"))
async def start(message: Message, state: FSMContext) -> None:
    await state.set_state("basket")


@router.message(Command("pay"))
async def pay(message: Message) -> None:
    prices: dict[str, int] = {}
    await message.answer(f"That is {prices['total']}")


def update(number: int, text: str) -> Update:
    return Update(update_id=number, message=Message(
        message_id=number, date=datetime.datetime.now(datetime.timezone.utc), text=text,
        chat=Chat(id=-1005551, type="supergroup", title="Shop"), from_user=User(id=4242, is_bot=False, first_name="Ann")))


async def main() -> None:
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    nabat.aiogram.setup(dispatcher)
    token = os.environ.get("BOT_TOKEN")
    api = TelegramAPIServer.from_base(os.environ.get("BOT_API_URL", "https://api.telegram.org"))
    bot = Bot(token or "123456789:an-example-without-a-bot-of-its-own", session=AiohttpSession(api=api))
    if token:
        await dispatcher.start_polling(bot)
        return
    print("BOT_TOKEN is not set: Ann says /start and /pay to a bot that is not there")
    await dispatcher.feed_update(bot, update(1, "/start"))
    try:
        await dispatcher.feed_update(bot, update(2, "/pay"))
    except KeyError as e:
        there = nabat.flush() and nabat.stats()["sent"]
        print(f"the handler raised KeyError({e}); {'Nabat has it' if there else 'it waits on disk for Nabat'}")
    await bot.session.close()


if __name__ == "__main__":
    if os.environ.get("SENTRY_DSN"):  # a Sentry SDK may stay beside the client
        import sentry_sdk
        sentry_sdk.init(os.environ["SENTRY_DSN"])
    nabat.init(release=os.environ.get("RELEASE"))
    asyncio.run(main())
