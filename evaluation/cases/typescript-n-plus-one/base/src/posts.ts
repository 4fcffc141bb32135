import { db } from "./db";

export interface Post {
  id: number;
  authorId: number;
}
