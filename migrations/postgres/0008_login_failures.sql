CREATE TABLE "auth_login_failures" (
	"user_pk" text PRIMARY KEY NOT NULL,
	"failures" integer NOT NULL,
	"locked_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "auth_login_failures" ADD CONSTRAINT "auth_login_failures_user_pk_users_pk_fk" FOREIGN KEY ("user_pk") REFERENCES "public"."users"("pk") ON DELETE cascade ON UPDATE no action;