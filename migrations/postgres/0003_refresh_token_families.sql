ALTER TABLE "refresh_tokens" ADD COLUMN "family" text;--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD COLUMN "spent_by" text;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "grace_uses_by_others" integer;--> statement-breakpoint
CREATE INDEX "refresh_tokens_family_index" ON "refresh_tokens" USING btree ("family");--> statement-breakpoint
DELETE FROM "refresh_tokens" WHERE "digest" IN (
  SELECT "digest" FROM (
    SELECT "digest", row_number() OVER (PARTITION BY "session_id" ORDER BY "created_at" DESC) AS "age"
    FROM "refresh_tokens" WHERE "spent_at" IS NOT NULL
  ) AS "spent" WHERE "age" > 1000
);
