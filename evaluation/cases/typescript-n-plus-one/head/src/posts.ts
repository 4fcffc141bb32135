import { db } from "./db";

export interface Post {
  id: number;
  authorId: number;
}

export async function withAuthors(posts: Post[]) {
  const shown = [];
  for (const post of posts) {
    const author = await db.one("SELECT name FROM author WHERE id = $1", [post.authorId]);
    shown.push({ ...post, author: author.name });
  }
  return shown;
}
