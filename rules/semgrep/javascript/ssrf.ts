import axios from "axios";

app.get("/preview", async (req: Request, res: Response) => {
  // ruleid: javascript-ssrf
  const first = await axios.get(req.query.url as string);
  const url = req.body.url;
  // ruleid: javascript-ssrf
  const second = await fetch(url);
  // ruleid: javascript-ssrf
  const third = await fetch(`https://${req.query.host}/status`);
  // ok: javascript-ssrf
  const fourth = await fetch(`https://api.internal/items/${req.params.id}`);
  // ok: javascript-ssrf
  const fifth = await axios.post("https://api.internal/items", req.body);
  res.json([first, second, third, fourth, fifth]);
});
