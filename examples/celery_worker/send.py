"""send.py -- asks the worker for a picture of no width."""
from tasks import render_picture

render_picture.delay(chat_id=-1001234, user_id=77, gen_request_id="gen-5", width=0)
print("asked for a picture of width 0")
