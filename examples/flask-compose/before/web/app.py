from flask import Flask, render_template
from redis import Redis

app = Flask(__name__)
cache = Redis(host="cache")


@app.route("/")
def hits() -> str:
    return render_template("index.html", hits=cache.incr("hits"))
