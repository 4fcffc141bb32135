import { Router } from "./router";
import { requireAdmin } from "./session";
import { accounts } from "./accounts";

export const routes = new Router();

routes.get("/admin/accounts", requireAdmin, async () => accounts.list());

routes.delete("/admin/accounts/:id", async (request) => {
  await accounts.remove(request.params.id);
  return { removed: request.params.id };
});
