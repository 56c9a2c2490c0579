/* SPDX-License-Identifier: ISC */
/* What tunnel clients say, in the words of their documentation. */
#include "io/tunnel.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct tunnel_news read_line(enum tunnel_kind kind, const char *line)
{
    struct tunnel_news news;
    tunnel_line(kind, aic_str(line), &news);
    return news;
}

static void test_ngrok_tells_its_address_in_one_line_of_json(void **state)
{
    (void)state;
    assert_string_equal(
        read_line(TUNNEL_NGROK,
                  "{\"addr\":\"http://127.0.0.1:8000\",\"lvl\":\"info\",\"msg\":\"started tunnel\","
                  "\"name\":\"command_line\",\"obj\":\"tunnels\",\"t\":\"2026-01-01T00:00:00Z\","
                  "\"url\":\"https://a-b-c.ngrok-free.app\"}")
            .url,
        "https://a-b-c.ngrok-free.app");
    static const char *const others[] = {
        "{\"lvl\":\"info\",\"msg\":\"client session established\",\"url\":\"https://x.example\"}",
        "{\"msg\":\"started tunnel\",\"url\":\"tcp://0.tcp.ngrok.io:12345\"}",
        "{\"msg\":\"started tunnel\",\"url\":\"https://\"}",
        "{\"msg\":\"started tunnel\",\"url\":\"https://bad_host\"}",
        "{\"msg\":\"started tunnel\"",
        "started tunnel https://x.example",
        ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct tunnel_news news = read_line(TUNNEL_NGROK, others[i]);
        assert_string_equal(news.url, "");
        assert_string_equal(news.why, "");
    }
}

static void test_what_ngrok_complains_of_is_kept(void **state)
{
    (void)state;
    assert_string_equal(read_line(TUNNEL_NGROK, "{\"err\":\"authentication failed: no\\r\\ntoken\","
                                                "\"lvl\":\"eror\",\"msg\":\"failed to auth\"}")
                            .why,
                        "authentication failed: no  token");
    assert_string_equal(read_line(TUNNEL_NGROK, "ERROR:  unknown flag: --log").why,
                        "ERROR:  unknown flag: --log");
    assert_string_equal(read_line(TUNNEL_NGROK, "{\"err\":\"<nil>\",\"lvl\":\"eror\"}").why, "");
}

static void test_cloudflared_tells_its_address_in_a_frame(void **state)
{
    (void)state;
    assert_string_equal(
        read_line(TUNNEL_CLOUDFLARED,
                  "2026-01-01T00:00:00Z INF |  https://some-odd-words.trycloudflare.com      |")
            .url,
        "https://some-odd-words.trycloudflare.com");
    static const char *const others[] = {
        "2026-01-01T00:00:00Z INF see https://developers.cloudflare.com/cloudflare-one/",
        "2026-01-01T00:00:00Z INF https://words.trycloudflare.com.example.com",
        "2026-01-01T00:00:00Z INF https://.trycloudflare",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_string_equal(read_line(TUNNEL_CLOUDFLARED, others[i]).url, "");
    }
    struct tunnel_news news =
        read_line(TUNNEL_CLOUDFLARED, "failed to request quick Tunnel: Post "
                                      "\"https://api.trycloudflare.com/tunnel\": no such host");
    assert_string_equal(news.url, "");
    assert_true(strncmp(news.why, "failed to request", 17) == 0);
    assert_string_equal(
        read_line(TUNNEL_CLOUDFLARED, "2026-01-01T00:00:00Z ERR no route error=\"x\"").why,
        "no route error=\"x\"");
}

static void test_a_running_ngrok_is_found_by_the_port_it_leads_to(void **state)
{
    (void)state;
    static const char list[] =
        "{\"tunnels\":[{\"public_url\":\"https://other.ngrok.app\",\"config\":{\"addr\":"
        "\"http://localhost:3000\"}},{\"public_url\":\"http://mine.ngrok.app\",\"config\":{"
        "\"addr\":\"http://localhost:8000\"}},{\"public_url\":\"https://mine.ngrok.app\","
        "\"config\":{\"addr\":\"http://localhost:8000\"}}],\"uri\":\"/api/tunnels\"}";
    char url[TUNNEL_URL] = "";
    assert_true(tunnel_list_find(aic_str(list), 8000, url));
    assert_string_equal(url, "https://mine.ngrok.app");
    assert_true(tunnel_list_find(aic_str(list), 3000, url));
    assert_string_equal(url, "https://other.ngrok.app");
    assert_false(tunnel_list_find(aic_str(list), 80, url));
    assert_false(tunnel_list_find(AIC_STR("{\"tunnels\":[{\"public_url\":1}]}"), 8000, url));
    assert_false(tunnel_list_find(AIC_STR("no"), 8000, url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ngrok_tells_its_address_in_one_line_of_json),
        cmocka_unit_test(test_what_ngrok_complains_of_is_kept),
        cmocka_unit_test(test_cloudflared_tells_its_address_in_a_frame),
        cmocka_unit_test(test_a_running_ngrok_is_found_by_the_port_it_leads_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
