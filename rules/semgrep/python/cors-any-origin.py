from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from flask_cors import CORS

app = FastAPI()
# ruleid: python-cors-any-origin
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)
# ruleid: python-cors-any-origin
CORS(app, origins="*", supports_credentials=True)
# ok: python-cors-any-origin
app.add_middleware(CORSMiddleware, allow_origins=["*"])
# ok: python-cors-any-origin
app.add_middleware(CORSMiddleware, allow_origins=["https://a.internal"], allow_credentials=True)
# ok: python-cors-any-origin
CORS(app, origins="*")
