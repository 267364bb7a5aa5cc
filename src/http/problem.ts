/** HTTP status of every code of the error envelope. */
export const statusOf = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VALIDATION_ERROR: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  ACCOUNT_LOCKED: 423,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  READ_MODEL_BEHIND: 503,
  SERVICE_UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof statusOf;

/** A field to blame, with dots (`weekly.0.start`), and what is wrong with it in words for a person. */
export type Detail = { readonly field: string; readonly message: string };

/** The error envelope. */
export type ErrorAnswer = {
  readonly success: false;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly reason?: string;
    readonly details: readonly Detail[];
  };
};

export const errorAnswer = (
  code: ErrorCode,
  message: string,
  { reason, details = [] }: { readonly reason?: string | undefined; readonly details?: readonly Detail[] } = {},
): ErrorAnswer => ({
  success: false,
  error: { code, message, ...(reason === undefined ? {} : { reason }), details },
});

/** Thrown by a route to answer with the error envelope. Its message is for the person who reads the answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ErrorCode;
  readonly reason: string | undefined;
  readonly details: readonly Detail[];
  /** Seconds after which a repeat may succeed. */
  readonly retryAfter: number | undefined;
  /** The permission whose absence is the reason. */
  readonly permission: string | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    more: {
      readonly reason?: string | undefined;
      readonly details?: readonly Detail[] | undefined;
      readonly retryAfter?: number | undefined;
      readonly permission?: string | undefined;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.reason = more.reason;
    this.details = more.details ?? [];
    this.retryAfter = more.retryAfter;
    this.permission = more.permission;
  }
}

/** The refusal of what a permission would allow. The access log tells which it was. */
export const permissionMissing = (permission: string): Problem =>
  new Problem('FORBIDDEN', `This needs the permission ${permission}`, { reason: 'permission-missing', permission });
