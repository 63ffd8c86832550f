CREATE TABLE "social_accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"user_pk" text NOT NULL,
	"provider" text NOT NULL,
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_login" timestamp (3) with time zone NOT NULL,
	"tokens" text
);
--> statement-breakpoint
CREATE TABLE "social_transactions" (
	"digest" text PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"origin" text NOT NULL,
	"provider" text NOT NULL,
	"browser" text,
	"user_pk" text,
	"next" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "social_accounts" ADD CONSTRAINT "social_accounts_user_pk_users_pk_fk" FOREIGN KEY ("user_pk") REFERENCES "public"."users"("pk") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "social_transactions" ADD CONSTRAINT "social_transactions_user_pk_users_pk_fk" FOREIGN KEY ("user_pk") REFERENCES "public"."users"("pk") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "social_accounts_identity_unique" ON "social_accounts" USING btree ("issuer","subject");--> statement-breakpoint
CREATE INDEX "social_accounts_user_pk_index" ON "social_accounts" USING btree ("user_pk");--> statement-breakpoint
CREATE INDEX "social_transactions_expires_at_index" ON "social_transactions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "social_transactions_user_pk_index" ON "social_transactions" USING btree ("user_pk");