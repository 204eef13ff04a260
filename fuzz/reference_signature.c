/* ECDSA by the numbers themselves: the X of hash / s * G + r / s * Q is r. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/ec.h>

#include "reference.h"

static BIGNUM *number(const reference_ecdsa_t *e, const uint8_t *bytes)
{
    return e->little ? BN_lebin2bn(bytes, e->len, NULL) : BN_bin2bn(bytes, e->len, NULL);
}

bool reference_ecdsa(const reference_ecdsa_t *e, const uint8_t *hash, int hash_len)
{
    BN_CTX *context = BN_CTX_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(e->curve);
    EC_POINT *q = EC_POINT_new(group), *sum = EC_POINT_new(group);
    const BIGNUM *order = EC_GROUP_get0_order(group);
    BIGNUM *x = number(e, e->point), *y = number(e, e->point + e->len);
    BIGNUM *r = number(e, e->signature), *s = number(e, e->signature + e->len);
    BIGNUM *z = BN_bin2bn(hash, hash_len < e->len ? hash_len : e->len, NULL);
    bool good = EC_POINT_set_affine_coordinates(group, q, x, y, context) == 1 && !BN_is_zero(r) &&
                !BN_is_zero(s) && BN_cmp(r, order) < 0 && BN_cmp(s, order) < 0 &&
                BN_mod_inverse(s, s, order, context) != NULL && BN_mod_mul(z, z, s, order, context) == 1 &&
                BN_mod_mul(s, r, s, order, context) == 1 && EC_POINT_mul(group, sum, z, q, s, context) == 1 &&
                EC_POINT_is_at_infinity(group, sum) == 0 &&
                EC_POINT_get_affine_coordinates(group, sum, x, NULL, context) == 1 &&
                BN_nnmod(x, x, order, context) == 1 && BN_cmp(x, r) == 0;
    BIGNUM *const numbers[] = {x, y, r, s, z};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        BN_free(numbers[i]);
    }
    EC_POINT_free(q);
    EC_POINT_free(sum);
    EC_GROUP_free(group);
    BN_CTX_free(context);
    return good;
}
