import { Router } from "./router";
import { requireAdmin } from "./session";
import { accounts } from "./accounts";

export const routes = new Router();

routes.get("/admin/accounts", requireAdmin, async () => accounts.list());
