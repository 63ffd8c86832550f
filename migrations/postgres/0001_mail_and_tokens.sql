CREATE TABLE "one_time_tokens" (
	"digest" text PRIMARY KEY NOT NULL,
	"mail_id" text NOT NULL,
	"purpose" text NOT NULL,
	"user_pk" text NOT NULL,
	"address" text NOT NULL,
	"password_digest" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "mail_outbox" (
	"id" text PRIMARY KEY NOT NULL,
	"origin" text NOT NULL,
	"template" text NOT NULL,
	"address" text,
	"user_pk" text,
	"variables" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone,
	"attempts" integer NOT NULL,
	"admitted_at" timestamp (3) with time zone,
	"sent_at" timestamp (3) with time zone,
	"failed_at" timestamp (3) with time zone,
	"last_error" text
);
--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD COLUMN "spent_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "authenticated_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "email_verified" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "one_time_tokens" ADD CONSTRAINT "one_time_tokens_user_pk_users_pk_fk" FOREIGN KEY ("user_pk") REFERENCES "public"."users"("pk") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "mail_outbox" ADD CONSTRAINT "mail_outbox_user_pk_users_pk_fk" FOREIGN KEY ("user_pk") REFERENCES "public"."users"("pk") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "one_time_tokens_mail_id_unique" ON "one_time_tokens" USING btree ("mail_id");--> statement-breakpoint
CREATE INDEX "one_time_tokens_user_pk_index" ON "one_time_tokens" USING btree ("user_pk");--> statement-breakpoint
CREATE INDEX "mail_outbox_due_at_index" ON "mail_outbox" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "mail_outbox_user_pk_index" ON "mail_outbox" USING btree ("user_pk");