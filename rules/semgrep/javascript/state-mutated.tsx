export function List({ first }: Props) {
  const [items, setItems] = useState([first]);
  const [user, setUser] = useState({ name: "" });
  const add = (item: Item) => {
    // ruleid: javascript-state-mutated
    items.push(item);
    setItems(items);
  };
  const rename = (name: string) => {
    // ruleid: javascript-state-mutated
    user.name = name;
    setUser(user);
  };
  const fine = (item: Item) => {
    const next = [...items];
    // ok: javascript-state-mutated
    next.push(item);
    setItems(next);
    // ok: javascript-state-mutated
    setUser({ ...user, name: "x" });
  };
  return [add, rename, fine];
}
