"""A real inference engine, llama.cpp's server, with a tiny model of random numbers.

It says nonsense, but says it as real engines do: token by token, counted, and bound to a grammar.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.demo.model_http import Refused
from bot.demo.script import Reply

NAME = "tiny:latest"
#: Of each of the two slots.
CONTEXT_TOKENS = 2048
_WIDTH, _LAYERS, _HEADS, _INNER = 64, 2, 4, 128
_TEMPLATE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}assistant: "


def write_model(path: Path) -> None:
    """Write a model of random numbers whose tokens are bytes, and one pair of letters."""
    import gguf
    import numpy as np

    tokens = [*_byte_tokens(), "th", "<s>", "</s>"]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(4 * CONTEXT_TOKENS)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * 257 + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(258)
    writer.add_chat_template(_TEMPLATE)
    shapes = {"token_embd": (len(tokens), _WIDTH), "output": (len(tokens), _WIDTH), "output_norm": (_WIDTH,)}
    for layer in range(_LAYERS):
        square = {f"attn_{part}": (_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")}
        wide = {"ffn_gate": (_INNER, _WIDTH), "ffn_up": (_INNER, _WIDTH), "ffn_down": (_WIDTH, _INNER)}
        norms = {"attn_norm": (_WIDTH,), "ffn_norm": (_WIDTH,)}
        shapes |= {f"blk.{layer}.{name}": shape for name, shape in (square | wide | norms).items()}
    numbers = np.random.default_rng(1)
    for name, shape in shapes.items():
        values = np.ones(shape) if len(shape) == 1 else numbers.standard_normal(shape) * 0.05
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _byte_tokens() -> list[str]:
    """Return the printable stand-in of each byte, as GPT-2's vocabulary has it."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def serve(model: Path, *, embedding: bool) -> None:
    """Serve *model* until standard input ends; the first line of output is the address."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {NAME}
    params.n_ctx, params.n_parallel, params.port = 2 * CONTEXT_TOKENS, 2, 0
    params.verbosity = 0
    # Several would wait for each other in busy loops, which is slow wherever something else runs too.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.endpoint_slots = True
    params.embedding = embedding
    if embedding:
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    # Nobody reads what the engine logs from here on, and a full pipe would stop it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stdin.read()


def _engine(directory: Path, kind: str) -> Iterator[str]:
    model = directory / "tiny.gguf"
    write_model(model)
    command = [sys.executable, "-m", "tests.llama", str(model), kind]
    # A process of its own: a crash of native code is then a failed test, not the end of all.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        address = next((line for line in process.stdout if line.startswith(b"http")), b"")
        assert address, "the engine did not start"
        yield address.decode().strip()
        process.stdin.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of an engine that answers."""
    yield from _engine(tmp_path_factory.mktemp("engine"), "chat")


@pytest.fixture(scope="session")
def embedding_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of an engine that makes vectors."""
    yield from _engine(tmp_path_factory.mktemp("engine"), "embedding")


def through(engine: str, request: Mapping[str, Any]) -> Reply:
    """Answer a request of Ollama's protocol by asking *engine*, as Ollama asks the same engine inside.

    What Ollama itself makes of a request is not shown by this; what the engine makes of prompt, schema and limits is.
    """
    options = request["options"]
    body = {
        "model": NAME,
        "messages": request["messages"],
        "max_tokens": options["num_predict"],
        "temperature": options["temperature"],
        "seed": options["seed"],
        "response_format": {"type": "json_schema", "json_schema": {"schema": request["format"]}},
    }
    response = httpx.post(f"{engine}/v1/chat/completions", json=body, timeout=150, trust_env=False)
    if response.status_code != 200:
        raise Refused(response.status_code, json.dumps(response.json()))
    answer = response.json()
    return Reply(answer["choices"][0]["message"]["content"], prompt_tokens=answer["usage"]["prompt_tokens"])


if __name__ == "__main__":
    serve(Path(sys.argv[1]), embedding=sys.argv[2] == "embedding")
